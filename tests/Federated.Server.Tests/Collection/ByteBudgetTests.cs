using Federated.Server.Collection;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Server.Tests.Collection;

public sealed class ByteBudgetTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();
    private readonly ByteBudget _budget;

    public ByteBudgetTests() => _budget = new ByteBudget(softBytes: 100, hardBytes: 150, _patience, _time);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Acquire_RoomBelowTheSoftLimit_IsGrantedAtOnce()
    {
        Assert.True(_budget.AcquireAsync(60, Token).IsCompletedSuccessfully);
        Assert.True(_budget.AcquireAsync(40, Token).IsCompletedSuccessfully);
        Assert.False(_budget.AcquireAsync(1, Token).IsCompleted);
    }

    [Fact]
    public void Acquire_MoreThanAnyLimitWhileNothingIsInside_IsGranted() =>
        Assert.True(_budget.AcquireAsync(1_000, Token).IsCompletedSuccessfully);

    [Fact]
    public async Task Release_SomeoneWaits_GrantsInOrderOfArrival()
    {
        await _budget.AcquireAsync(100, Token);
        Task first = _budget.AcquireAsync(80, Token);
        Task second = _budget.AcquireAsync(10, Token);
        Task third = _budget.AcquireAsync(20, Token);

        _budget.Release(100);

        await first.WaitAsync(TimeSpan.FromSeconds(10), Token);
        await second.WaitAsync(TimeSpan.FromSeconds(10), Token);
        Assert.False(third.IsCompleted);
    }

    [Fact]
    public async Task Acquire_NothingGivenBackForThePatience_IsGrantedUpToTheHardLimit()
    {
        await _budget.AcquireAsync(100, Token);
        Task impatient = _budget.AcquireAsync(50, Token);
        Task tooMuch = _budget.AcquireAsync(10, Token);

        _time.Advance(_patience);

        await impatient.WaitAsync(TimeSpan.FromSeconds(10), Token);
        Assert.False(tooMuch.IsCompleted);
    }

    [Fact]
    public async Task Acquire_UploadsInsideMakeProgress_WaitsForTheSoftLimit()
    {
        await _budget.AcquireAsync(90, Token);
        await _budget.AcquireAsync(10, Token);
        Task patient = _budget.AcquireAsync(50, Token);

        _time.Advance(_patience - TimeSpan.FromSeconds(1));
        _budget.Release(10);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(patient.IsCompleted);

        _time.Advance(_patience);
        await patient.WaitAsync(TimeSpan.FromSeconds(10), Token);
    }

    [Fact]
    public async Task Acquire_CancelledWhileWaiting_LeavesItsTurnToTheNext()
    {
        await _budget.AcquireAsync(100, Token);
        using CancellationTokenSource cancel = new();
        Task cancelled = _budget.AcquireAsync(100, cancel.Token);
        Task next = _budget.AcquireAsync(10, Token);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        _budget.Release(100);

        await next.WaitAsync(TimeSpan.FromSeconds(10), Token);
    }
}
