using Federated.Shared.Protocol;

namespace Federated.Simulator.Faults;

/// <summary>
/// Holds trained devices back until the model, not the wall clock, says that they may submit: the waiting around <see cref="RoundGate"/>.
/// Rounds that do not over-select pass at once. A wait ends at the round's deadline at the latest, because a cohort may hold devices this
/// process does not run. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="halfDone">A round that an earlier process of the run left open: who has reported is not known here, so everybody passes. Null for none.</param>
internal sealed class ArrivalGate(TimeProvider time, long? halfDone = null)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Job, long Round), OpenRound> _rounds = [];

    /// <summary>See <see cref="RoundGate.Assign"/>.</summary>
    public void Assign(PlanDocument plan, string device, TimeSpan completion) => Change(plan, gate => gate.Assign(device, completion));

    /// <summary>See <see cref="RoundGate.AssignLost"/>.</summary>
    public void AssignLost(PlanDocument plan, string device, bool announced) => Change(plan, gate => gate.AssignLost(device, announced));

    /// <summary>Completes when the device may submit.</summary>
    public async Task AdmitAsync(PlanDocument plan, string device, CancellationToken cancellationToken)
    {
        Task admitted;
        lock (_lock)
        {
            if (plan.Round == halfDone || !_rounds.TryGetValue((plan.JobId, plan.Round), out OpenRound? round) || round.Gate.Admits(device))
            {
                return;
            }

            admitted = round.WaitFor(device);
        }

        try
        {
            await admitted.WaitAsync(plan.Deadline, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The server has closed the round by now; what it answers is the outcome.
        }
    }

    /// <summary>The device's part in the round is over.</summary>
    public void End(PlanDocument plan, string device, bool acknowledged)
    {
        lock (_lock)
        {
            if (!_rounds.TryGetValue((plan.JobId, plan.Round), out OpenRound? round))
            {
                return;
            }

            round.Gate.End(device, acknowledged);
            round.ReleaseAdmitted();
            if (round.Gate.IsOver)
            {
                _rounds.Remove((plan.JobId, plan.Round));
            }
        }
    }

    private void Change(PlanDocument plan, Action<RoundGate> change)
    {
        lock (_lock)
        {
            if (!_rounds.TryGetValue((plan.JobId, plan.Round), out OpenRound? round))
            {
                round = new OpenRound(new RoundGate(plan.CohortSize, plan.Goal));
                _rounds.Add((plan.JobId, plan.Round), round);
            }

            change(round.Gate);
            round.ReleaseAdmitted();
        }
    }

    private sealed class OpenRound(RoundGate gate)
    {
        private readonly Dictionary<string, TaskCompletionSource> _waiting = new(StringComparer.Ordinal);

        public RoundGate Gate => gate;

        public Task WaitFor(string device)
        {
            // Continuations must not run under the gate's lock.
            TaskCompletionSource waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting[device] = waiter;
            return waiter.Task;
        }

        public void ReleaseAdmitted()
        {
            foreach (string device in _waiting.Keys.Where(gate.Admits).ToArray())
            {
                _waiting.Remove(device, out TaskCompletionSource? waiter);
                waiter!.SetResult();
            }
        }
    }
}
