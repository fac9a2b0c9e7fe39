using System.Security.Claims;
using Federated.Server.Access;
using Federated.Server.Api;
using Federated.Server.Events;
using Federated.Server.Storage;
using Federated.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Server.Tests.Api;

/// <summary>The stream of events over HTTP, by a clock that the test moves.</summary>
public sealed class EventRoutesTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly WatchedTime _time = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly HttpClient _http = new();
    private readonly EventFeed _feed;
    private readonly FileBlobStore _blobs;
    private readonly WebApplication _server;
    private ClaimsPrincipal _person = AccessIdentity.Of("this machine", AccessRole.Viewer, AccessPolicies.OpenScheme);

    public EventRoutesTests()
    {
        _feed = new EventFeed(_time);
        _blobs = new FileBlobStore(_folder.Path, new FileBlobStoreOptions { FlushToDisk = false }, _time);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddSingleton(_feed);
        builder.Services.AddSingleton(new AccessTokens(_blobs, _time));
        _server = builder.Build();
        _server.Urls.Add("http://127.0.0.1:0");
        _server.Use((context, next) =>
        {
            context.User = _person;
            return next(context);
        });
        _server.MapGroup("").MapEvents();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _server.StartAsync(Stop);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
        _blobs.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Events_OfOneJobWhileOthersHaveMany_BeatAllTheSame()
    {
        using StreamReader lines = await OpenAsync("events?job=quiet");
        await _time.Timers.WaitAsync(Stop);
        for (int i = 0; i < 3; i++)
        {
            // The stream has taken it when it waits anew.
            _feed.Publish(Selecting("busy"));
            await _time.Timers.WaitAsync(Stop);
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        _feed.Publish(Selecting("busy"));
        _feed.Publish(Selecting("quiet"));

        Assert.Contains(": beat", await LinesUntilAsync(lines, "event: round-stage"));
    }

    [Fact]
    public async Task Events_AfterTheLoginsEnd_ComeNoMore()
    {
        _person = AccessIdentity.Of("ada", AccessRole.Viewer, _time.GetUtcNow() + TimeSpan.FromHours(1));
        using StreamReader lines = await OpenAsync("events");
        _feed.Publish(Selecting("a"));
        await LinesUntilAsync(lines, "event: round-stage");

        _time.Advance(TimeSpan.FromHours(1));
        _feed.Publish(Selecting("b"));

        EndOfStreamException end = await Assert.ThrowsAsync<EndOfStreamException>(() => LinesUntilAsync(lines, "event: round-stage"));
        Assert.DoesNotContain("id: ", end.Message, StringComparison.Ordinal);
    }

    private static RoundStageChanged Selecting(string job) => new(job, 1, RoundStage.Selecting, 0, 1);

    private async Task<StreamReader> OpenAsync(string path)
    {
        HttpResponseMessage response = await _http.GetAsync(new Uri(new Uri(_server.Urls.Single()), path), HttpCompletionOption.ResponseHeadersRead, Stop);
        StreamReader lines = new(await response.Content.ReadAsStreamAsync(Stop));
        await LinesUntilAsync(lines, ": open");
        return lines;
    }

    private static async Task<List<string>> LinesUntilAsync(StreamReader lines, string last)
    {
        List<string> read = [];
        while (!read.Contains(last))
        {
            read.Add(await lines.ReadLineAsync(Stop) ?? throw new EndOfStreamException($"The stream ended before '{last}', after: {string.Join(" | ", read)}"));
        }

        return read;
    }

    /// <summary>Tells when something begins to wait.</summary>
    private sealed class WatchedTime(DateTimeOffset start) : FakeTimeProvider(start)
    {
        public SemaphoreSlim Timers { get; } = new(0);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            Timers.Release();
            return timer;
        }
    }
}
