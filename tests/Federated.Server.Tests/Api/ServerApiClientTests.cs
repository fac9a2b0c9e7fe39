using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Shared.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.Server.Tests.Api;

/// <summary>The client of the HTTP API against servers that misbehave.</summary>
public sealed class ServerApiClientTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

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
    public async Task Request_PortThatSpeaksNoTls_NamesTheAddressAndTheInnermostCause()
    {
        await using WebApplication server = await StartAsync(_ => Task.CompletedTask);
        Uri address = new UriBuilder(server.Urls.Single()) { Scheme = Uri.UriSchemeHttps }.Uri;
        using ServerApiClient api = new(address);

        ServerApiException failure = await Assert.ThrowsAsync<ServerApiException>(() => api.JobsAsync(Ct));

        Assert.StartsWith($"The server at {address} cannot be reached: ", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("inner exception", failure.Message, StringComparison.Ordinal);
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
        FakeTimeProvider time = new();
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
                time.Advance(_patience + TimeSpan.FromSeconds(1));
            }

            await context.Response.WriteAsJsonAsync(new ObjectDescription("hash", 1), context.RequestAborted);
        });
        using ServerApiClient api = new(new Uri(server.Urls.Single()), _patience, time: time);

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
        FakeTimeProvider time = new();
        using WatchedStream table = new();
        await using WebApplication server = await StartAsync(async context =>
        {
            await context.Response.WriteAsync("first,", context.RequestAborted);
            await table.Written.WaitAsync(TimeSpan.FromMinutes(1), context.RequestAborted);
            time.Advance(_patience + TimeSpan.FromSeconds(1));
            await context.Response.WriteAsync("last", context.RequestAborted);
        });
        using ServerApiClient api = new(new Uri(server.Urls.Single()), _patience, time: time);

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

    /// <summary>Tells when something was written to it.</summary>
    private sealed class WatchedStream : MemoryStream
    {
        private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Written => _written.Task;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken);
            _written.TrySetResult();
        }
    }
}
