using System.Text.Json;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Server.Tests.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.Server.Tests.Api;

/// <summary>What a caller is told of a failure that is the server's.</summary>
public sealed class ApiErrorsTests
{
    [Fact]
    public async Task Invoke_StoreFails_SaysSoWithTheSystemsReasonAndWithoutPaths()
    {
        (int status, ApiError error) = await AnswerAsync(FullDisk.Failure());

        Assert.Equal((500, (int)ErrorCode.Internal), (status, error.Code));
        Assert.Contains("The server's store failed: No space left on device.", error.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("/data/store", error.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invoke_StoreMayNotBeUsed_SaysSo()
    {
        IOException denied = new("Permission denied", 13);
        (int status, ApiError error) = await AnswerAsync(
            new IOException("Blob 'a' cannot be written: no.", new UnauthorizedAccessException("Access to the path '/data/store/a' is denied.", denied)));

        Assert.Equal(500, status);
        Assert.Contains("The server's store failed: Permission denied.", error.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invoke_AnythingElseFails_SaysNothingOfTheStore()
    {
        (int status, ApiError error) = await AnswerAsync(new InvalidOperationException("secret"));

        Assert.Equal((500, "The server could not serve the request."), (status, error.Detail));
    }

    private static async Task<(int Status, ApiError Error)> AnswerAsync(Exception failure)
    {
        await using ServiceProvider services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using MemoryStream body = new();
        DefaultHttpContext context = new() { RequestServices = services };
        context.Request.Path = "/api/v1/jobs";
        context.Response.Body = body;
        await new ApiErrors(_ => throw failure, NullLogger<ApiErrors>.Instance).InvokeAsync(context);
        body.Position = 0;
        return (context.Response.StatusCode, (await JsonSerializer.DeserializeAsync<ApiError>(body, RoundRecords.Json, TestContext.Current.CancellationToken))!);
    }
}
