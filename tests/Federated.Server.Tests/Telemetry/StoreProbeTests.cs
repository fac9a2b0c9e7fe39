using Federated.Server.Telemetry;
using Federated.Server.Tests.Storage;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Server.Tests.Telemetry;

public sealed class StoreProbeTests
{
    private readonly FullDisk _store = new();
    private readonly FakeTimeProvider _time = new();
    private readonly StoreProbe _probe;

    public StoreProbeTests() => _probe = new StoreProbe(_store, _time);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Demand_FullDisk_FailsUntilAWriteGoesWell()
    {
        await Assert.ThrowsAsync<IOException>(() => _probe.DemandAsync(Stop));
        _store.IsFull = false;
        _time.Advance(StoreProbe.Holds);

        await _probe.DemandAsync(Stop);
    }

    [Fact]
    public async Task Demand_ManyTimesAtOnceAndSoonAfter_WritesOnce()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.IsFull = false;
        _store.Before = gate.Task;
        Task[] asked = [.. Enumerable.Range(0, 20).Select(_ => _probe.DemandAsync(Stop))];
        gate.SetResult();
        await Task.WhenAll(asked);
        _time.Advance(StoreProbe.Holds - TimeSpan.FromSeconds(1));
        await _probe.DemandAsync(Stop);

        Assert.Equal(1, _store.Writes);
        _time.Advance(TimeSpan.FromSeconds(1));
        await _probe.DemandAsync(Stop);
        Assert.Equal(2, _store.Writes);
    }

    [Fact]
    public async Task Demand_StoreThatHangs_LetsTheCallerGoAndIsNotAskedAgain()
    {
        _store.Before = new TaskCompletionSource().Task;
        using CancellationTokenSource patience = new();
        Task asked = _probe.DemandAsync(patience.Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        _time.Advance(10 * StoreProbe.Holds);

        Assert.False(_probe.DemandAsync(Stop).IsCompleted);
        Assert.Equal(1, _store.Writes);
    }
}
