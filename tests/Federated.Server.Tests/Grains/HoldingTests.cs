using Federated.Server.Grains;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Server.Tests.Grains;

public sealed class HoldingTests
{
    private static readonly TimeSpan _hold = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task ArrivesAsync_WhatComesInTime_IsTrue()
    {
        TaskCompletionSource awaited = new();
        Task<bool> held = awaited.Task.ArrivesAsync(_hold, _time, CancellationToken.None);
        Assert.False(held.IsCompleted);
        awaited.SetResult();
        Assert.True(await held);
    }

    [Fact]
    public async Task ArrivesAsync_TimeIsUp_IsFalse()
    {
        Task<bool> held = new TaskCompletionSource().Task.ArrivesAsync(_hold, _time, CancellationToken.None);
        _time.Advance(_hold);
        Assert.False(await held);
    }

    [Fact]
    public async Task ArrivesAsync_TheServerStops_IsFalseAtOnce()
    {
        using CancellationTokenSource stopping = new();
        Task<bool> held = new TaskCompletionSource().Task.ArrivesAsync(_hold, _time, stopping.Token);
        Assert.False(held.IsCompleted);
        await stopping.CancelAsync();
        Assert.False(await held);
        Assert.False(await new TaskCompletionSource().Task.ArrivesAsync(_hold, _time, stopping.Token));
    }

    [Fact]
    public async Task ArrivesAsync_WhatFails_FailsTheCaller()
    {
        using CancellationTokenSource stopping = new();
        Task failed = Task.FromException(new InvalidDataException());
        await Assert.ThrowsAsync<InvalidDataException>(() => failed.ArrivesAsync(_hold, _time, stopping.Token));
    }
}
