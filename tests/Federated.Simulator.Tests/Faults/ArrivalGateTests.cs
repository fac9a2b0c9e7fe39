using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Simulator.Faults;

namespace Federated.Simulator.Tests.Faults;

public sealed class ArrivalGateTests
{
    [Fact]
    public async Task AdmitAsync_SlowDevice_WaitsUntilTheGoalIsAcknowledged()
    {
        ArrivalGate gate = new(TimeProvider.System);
        PlanDocument plan = Plan(cohort: 2, goal: 1);
        gate.Assign(plan, "slow", TimeSpan.FromSeconds(2));
        Task slow = gate.AdmitAsync(plan, "slow", TestContext.Current.CancellationToken);
        gate.Assign(plan, "fast", TimeSpan.FromSeconds(1));
        Assert.False(slow.IsCompleted);

        await gate.AdmitAsync(plan, "fast", TestContext.Current.CancellationToken);
        gate.End(plan, "fast", acknowledged: true);

        await slow.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        gate.End(plan, "slow", acknowledged: false);
    }

    [Fact]
    public async Task AdmitAsync_WaitingQuickDevice_IsReleasedWhenTheCohortIsComplete()
    {
        ArrivalGate gate = new(TimeProvider.System);
        PlanDocument plan = Plan(cohort: 2, goal: 1);
        gate.Assign(plan, "fast", TimeSpan.FromSeconds(1));
        Task fast = gate.AdmitAsync(plan, "fast", TestContext.Current.CancellationToken);
        Assert.False(fast.IsCompleted);
        gate.AssignLost(plan, "lost", announced: false);
        await fast.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task AdmitAsync_CohortHoldsForeignDevices_OpensAtTheDeadline()
    {
        ArrivalGate gate = new(TimeProvider.System);
        PlanDocument plan = Plan(cohort: 2, goal: 1) with { Deadline = TimeSpan.FromMilliseconds(20) };
        gate.Assign(plan, "alone", TimeSpan.FromSeconds(1));
        await gate.AdmitAsync(plan, "alone", TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task AdmitAsync_Cancelled_Throws()
    {
        ArrivalGate gate = new(TimeProvider.System);
        PlanDocument plan = Plan(cohort: 2, goal: 1);
        gate.Assign(plan, "a", TimeSpan.FromSeconds(1));
        using CancellationTokenSource cancelled = new();
        Task waiting = gate.AdmitAsync(plan, "a", cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    internal static PlanDocument Plan(int cohort, int goal) => new()
    {
        JobId = "job",
        Round = 1,
        ModelVersion = 0,
        Package = ContentHash.Of("package"u8),
        Adapter = ContentHash.Of("adapter"u8),
        AdapterLengthBytes = 4_000,
        ParameterCount = 1_000,
        Seed = 1,
        MaxUpdateBytes = 10_000,
        Deadline = TimeSpan.FromMinutes(1),
        CohortSize = cohort,
        Goal = goal,
        Training = new LocalTrainingPlan(),
    };
}
