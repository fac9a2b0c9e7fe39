using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Shared.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.Server.Tests.Api;

/// <summary>The client of the HTTP API against servers that misbehave.</summary>
public sealed class ServerApiClientTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_ServerKeepsSilent_IsATransientFailureAndNotACancellation()
    {
        await using WebApplication server = await StartAsync(context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted));
        using ServerApiClient api = new(new Uri(server.Urls.Single()), TimeSpan.FromMilliseconds(200));

        ServerApiException failure = await Assert.ThrowsAsync<ServerApiException>(() => api.JobsAsync(Ct));

        Assert.True(failure.IsTransient);
        Assert.Contains("0.2 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_CallerCancels_IsACancellation()
    {
        await using WebApplication server = await StartAsync(context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted));
        using ServerApiClient api = new(new Uri(server.Urls.Single()));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);

        Task<List<JobStatus>> jobs = api.JobsAsync(stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => jobs);
    }

    [Fact]
    public async Task SubmitPackage_FileThatTakesLongerThanAnAnswerMay_IsSentAllTheSame()
    {
        TimeSpan patience = TimeSpan.FromSeconds(2);
        byte[] graph = new byte[8 << 20];
        await using WebApplication server = await StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            if (context.Request.Path.Value!.EndsWith("/packages", StringComparison.Ordinal))
            {
                await context.Response.WriteAsJsonAsync(new PackageDescription("hash", "vector"), context.RequestAborted);
                return;
            }

            if (context.Request.ContentLength >= graph.Length)
            {
                await Task.Delay(patience + TimeSpan.FromSeconds(1), TimeProvider.System, context.RequestAborted);
            }

            await context.Response.WriteAsJsonAsync(new ObjectDescription("hash", 1), context.RequestAborted);
        });
        using ServerApiClient api = new(new Uri(server.Urls.Single()), patience);

        PackageDescription package = await api.SubmitPackageAsync(VectorPackage.Build(3) with { GradientGraph = graph }, Ct);

        Assert.Equal("vector", package.Name);
    }

    [Fact]
    public async Task Events_ServerKeepsSilent_IsATransientFailure()
    {
        await using WebApplication server = await StartAsync(context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted));
        using ServerApiClient api = new(new Uri(server.Urls.Single()), TimeSpan.FromMilliseconds(200));

        ServerApiException failure = await Assert.ThrowsAsync<ServerApiException>(() => api.EventsAsync(null, null, Ct));

        Assert.True(failure.IsTransient);
    }

    [Fact]
    public async Task Export_AnswerLongerThanItsBeginningMayTake_ComesWhole()
    {
        TimeSpan patience = TimeSpan.FromSeconds(2);
        await using WebApplication server = await StartAsync(async context =>
        {
            await context.Response.WriteAsync("first,", context.RequestAborted);
            await Task.Delay(patience + TimeSpan.FromSeconds(1), TimeProvider.System, context.RequestAborted);
            await context.Response.WriteAsync("last", context.RequestAborted);
        });
        using ServerApiClient api = new(new Uri(server.Urls.Single()), patience);
        using MemoryStream table = new();

        await api.ExportAsync("job", "rounds", "csv", null, table, Ct);

        Assert.Equal("first,last", System.Text.Encoding.ASCII.GetString(table.ToArray()));
    }

    [Theory]
    [InlineData(ErrorCode.Internal, true)]
    [InlineData(ErrorCode.Overloaded, true)]
    [InlineData(ErrorCode.NotFound, false)]
    [InlineData(ErrorCode.InvalidSetting, false)]
    public async Task Request_ServerRefuses_SaysWhetherAnotherTryMayHelp(ErrorCode code, bool transient)
    {
        ErrorCatalogue.Entry entry = ErrorCatalogue.For(code);
        await using WebApplication server = await StartAsync(context =>
        {
            context.Response.StatusCode = entry.HttpStatus;
            return context.Response.WriteAsJsonAsync(new ApiError((int)code, code.ToString(), "a detail", entry.Advice), context.RequestAborted);
        });
        using ServerApiClient api = new(new Uri(server.Urls.Single()));

        ServerApiException failure = await Assert.ThrowsAsync<ServerApiException>(() => api.JobsAsync(Ct));

        Assert.Equal(transient, failure.IsTransient);
        Assert.Equal("a detail", failure.Message);
    }

    private static async Task<WebApplication> StartAsync(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication server = builder.Build();
        server.Urls.Add("http://127.0.0.1:0");
        server.Run(answer);
        await server.StartAsync(Ct);
        return server;
    }
}
