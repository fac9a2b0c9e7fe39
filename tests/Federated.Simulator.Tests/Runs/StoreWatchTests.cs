using Federated.Server.Rounds;
using Federated.Simulator.Runs;
using Federated.Simulator.Tests.Reports;
using Federated.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Simulator.Tests.Runs;

public sealed class StoreWatchTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task DemandWritableAsync_AStoreThatTakesNothingForAMinute_IsRefusedByTheFirstReason()
    {
        StoreWatch watch = new("/nowhere", _time);
        Fail(watch, new InvalidOperationException("It could not be written.", new IOException("No space left on device")));
        _time.Advance(StoreWatch.Patience - TimeSpan.FromSeconds(1));
        Fail(watch, new IOException("Again."));
        await watch.DemandWritableAsync(1_000);

        _time.Advance(TimeSpan.FromSeconds(1));

        IOException refused = await Assert.ThrowsAsync<IOException>(() => watch.DemandWritableAsync(1_000));
        Assert.Equal("For 60 seconds the server could not write its store. No space left on device", refused.Message);
    }

    [Fact]
    public async Task DemandWritableAsync_AStoreThatTakesARoundAgain_GoesOnAndLeavesNothingInIt()
    {
        using TemporaryFolder folder = new();
        string store = Directory.CreateDirectory(Path.Combine(folder.Path, "store")).FullName;
        StoreWatch watch = new(store, _time);
        Fail(watch, new IOException("No space left on device"));
        _time.Advance(StoreWatch.Patience);
        await watch.DemandWritableAsync(3_000_000);
        Assert.Empty(Directory.GetFileSystemEntries(store));

        // Not tried again before another minute is over, and then it is.
        Directory.Delete(store);
        _time.Advance(StoreWatch.Patience - TimeSpan.FromSeconds(1));
        await watch.DemandWritableAsync(3_000_000);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<IOException>(() => watch.DemandWritableAsync(3_000_000));
    }

    [Fact]
    public async Task RoundEnded_ACommitAfterTheFailure_EndsIt()
    {
        StoreWatch watch = new("/nowhere", _time);
        Fail(watch, new IOException("No space left on device"));
        Assert.Equal("No space left on device", watch.Reason);
        watch.RoundEnded(RoundThatEnds(after: TimeSpan.FromSeconds(1)));
        Assert.Null(watch.Reason);
        _time.Advance(StoreWatch.Patience);
        await watch.DemandWritableAsync(1_000);
    }

    [Fact]
    public async Task RoundEnded_ACommitBeforeTheFailureOrNone_DoesNotEndIt()
    {
        StoreWatch watch = new("/nowhere", _time);
        Fail(watch, new IOException("No space left on device"));
        watch.RoundEnded(RoundThatEnds(after: TimeSpan.FromSeconds(-1)));
        watch.RoundEnded(RoundThatEnds(after: TimeSpan.FromSeconds(1)) with { Outcome = RoundOutcome.Abandoned });
        _time.Advance(StoreWatch.Patience);
        await Assert.ThrowsAsync<IOException>(() => watch.DemandWritableAsync(1_000));
    }

    [Fact]
    public async Task Log_WhatIsNoFailureOfTheStore_IsNotHeld()
    {
        StoreWatch watch = new("/nowhere", _time);
        Fail(watch, new InvalidOperationException("A defect."));
        Log(watch, "Federated.Server.Grains.JobGrain", LogLevel.Warning, new IOException("It goes on."));
        Log(watch, "Microsoft.AspNetCore.Server.Kestrel", LogLevel.Error, new IOException("Connection reset by peer"));
        _time.Advance(StoreWatch.Patience);
        await watch.DemandWritableAsync(1_000);
    }

    private static void Fail(StoreWatch watch, Exception failure) => Log(watch, "Federated.Server.Grains.JobGrain", LogLevel.Error, failure);

    private static void Log(StoreWatch watch, string category, LogLevel level, Exception exception) =>
        watch.CreateLogger(category).Log(level, default, "A round broke off.", exception, (text, _) => text);

    private RoundRecord RoundThatEnds(TimeSpan after) =>
        SampleRun.Round(1) with { Timing = new RoundTiming { StartedAt = _time.GetUtcNow() + after - TimeSpan.FromSeconds(5), TotalSeconds = 5 } };
}
