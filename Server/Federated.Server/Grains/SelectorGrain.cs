using Federated.Server.Hosting;
using Federated.Server.Rounds;
using Federated.Shared.Randomness;
using Microsoft.Extensions.Options;

namespace Federated.Server.Grains;

/// <summary>
/// Hosts the pool of one population. Everything here is in memory: devices that waited when the process died check in again, and a
/// job that recovers assigns its open round anew. So it is never collected for being idle, as it is while everybody trains for long.
/// </summary>
[KeepAlive]
internal sealed class SelectorGrain(
    IOptions<SelectionOptions> options, IGrainFactory grains, IHostApplicationLifetime lifetime, TimeProvider time) : Grain, ISelectorGrain
{
    private readonly Dictionary<string, Waiter> _pool = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Waiter> _reserved = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CheckInAnswer> _assigned = new(StringComparer.Ordinal);
    private readonly SeenDevices<CheckIn> _profiles = new(options.Value.RememberedFor, time.GetUtcNow());
    private readonly LinkedList<PendingDemand> _demands = new();
    private readonly Dictionary<string, int> _demandOf = new(StringComparer.Ordinal);
    private readonly SeededGenerator _jitter = SeededGenerator.For((ulong)time.GetTimestamp(), "pace");
    private TimeSpan _roundInterval = TimeSpan.FromMinutes(1);
    private long _lastSelection;

    /// <inheritdoc/>
    public async Task<CheckInAnswer> CheckIn(CheckIn device, CancellationToken ct)
    {
        NoteProfile(device);
        if (_assigned.TryGetValue(device.DeviceId, out CheckInAnswer? assignment))
        {
            IRoundGrain round = grains.Of<IRoundGrain>(GrainKeys.Round(assignment.JobId!, assignment.Round));
            if (await round.IsOutstanding(device.DeviceId))
            {
                return assignment;
            }

            _assigned.Remove(device.DeviceId);
        }

        if (_pool.Count >= options.Value.MaxWaitingDevices)
        {
            return Retry(poolFull: true);
        }

        Waiter waiter = Enlist(device.DeviceId);
        ServeDemands();
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(ct, lifetime.ApplicationStopping);
        if (await waiter.Answer.Task.ArrivesAsync(device.Hold, time, either.Token))
        {
            return await waiter.Answer.Task;
        }

        bool chosen = IsReserved(device.DeviceId, waiter);
        if (chosen && await waiter.Answer.Task.ArrivesAsync(options.Value.PlanPatience, time, either.Token))
        {
            return await waiter.Answer.Task;
        }

        // A chosen device that leaves stays in its cohort: it gets the plan when it checks in again, which it is to do soon.
        Discard(device.DeviceId, waiter);
        return chosen ? new CheckInAnswer { RetryAfter = options.Value.Pace.MinRetry } : Retry(poolFull: false);
    }

    /// <inheritdoc/>
    public async Task<string[]> Select(CohortDemand demand)
    {
        PendingDemand pending = new(demand, new TaskCompletionSource<string[]>(TaskCreationOptions.RunContinuationsAsynchronously));
        LinkedListNode<PendingDemand> node = _demands.AddLast(pending);
        _demandOf[demand.JobId] = demand.Count;
        ServeDemands();
        if (await pending.Chosen.Task.ArrivesAsync(demand.Hold, time, lifetime.ApplicationStopping) || pending.Chosen.Task.IsCompletedSuccessfully)
        {
            return await pending.Chosen.Task;
        }

        _demands.Remove(node);
        return [];
    }

    /// <inheritdoc/>
    public Task Withdraw(string jobId)
    {
        foreach (PendingDemand pending in _demands.Where(pending => pending.Demand.JobId == jobId).ToArray())
        {
            _demands.Remove(pending);
            pending.Chosen.SetResult([]);
        }

        if (_demandOf.Remove(jobId) && _demandOf.Count == 0)
        {
            // The time until the next job comes says nothing of how long its rounds are.
            _lastSelection = 0;
        }

        ServeDemands();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task Free(string[] cohort)
    {
        foreach (string deviceId in cohort)
        {
            if (_reserved.Remove(deviceId, out Waiter? waiter))
            {
                _pool[deviceId] = waiter;
            }
        }

        ServeDemands();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<string[]> LabelValues(string[] devices, string label) => Task.FromResult(devices
        .Select(device => _profiles.TryGet(device, out CheckIn? profile) && profile.Labels.TryGetValue(label, out string? value) ? value : "")
        .ToArray());

    /// <inheritdoc/>
    public Task Assign(string jobId, long round, string[] cohort, byte[] plan)
    {
        CheckInAnswer answer = new() { JobId = jobId, Round = round, Plan = plan };
        foreach (string deviceId in cohort)
        {
            _assigned[deviceId] = answer;
            if (_reserved.Remove(deviceId, out Waiter? waiter) || _pool.Remove(deviceId, out waiter))
            {
                waiter.Answer.TrySetResult(answer);
            }
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task Release(string jobId, long round)
    {
        foreach ((string deviceId, CheckInAnswer answer) in _assigned.ToArray())
        {
            if (answer.JobId == jobId && answer.Round == round)
            {
                _assigned.Remove(deviceId);
            }
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<int> Waiting() => Task.FromResult(_pool.Count);

    private Waiter Enlist(string deviceId)
    {
        // A device that connects anew keeps its place: a reserved one must not be chosen a second time. Whoever holds the earlier call
        // learns that it was not chosen.
        Dictionary<string, Waiter> place = _reserved.ContainsKey(deviceId) ? _reserved : _pool;
        if (place.TryGetValue(deviceId, out Waiter? earlier))
        {
            earlier.Answer.TrySetResult(Retry(poolFull: false));
        }

        Waiter waiter = new();
        place[deviceId] = waiter;
        return waiter;
    }

    private void Discard(string deviceId, Waiter waiter)
    {
        if (_pool.TryGetValue(deviceId, out Waiter? current) && ReferenceEquals(current, waiter))
        {
            _pool.Remove(deviceId);
        }
        else if (IsReserved(deviceId, waiter))
        {
            _reserved.Remove(deviceId);
        }
    }

    private bool IsReserved(string deviceId, Waiter waiter) =>
        _reserved.TryGetValue(deviceId, out Waiter? current) && ReferenceEquals(current, waiter);

    private void ServeDemands()
    {
        while (_demands.First?.Value is { } pending && _pool.Count >= Math.Max(pending.Demand.Fewest, pending.Demand.MinimumPool))
        {
            _demands.RemoveFirst();
            string[] cohort = UniformSelection.Choose(
                _pool.Keys, Math.Min(pending.Demand.Count, _pool.Count), pending.Demand.Seed, pending.Demand.Round);
            foreach (string deviceId in cohort)
            {
                _pool.Remove(deviceId, out Waiter? waiter);
                _reserved[deviceId] = waiter!;
            }

            NoteSelection();
            pending.Chosen.SetResult(cohort);
        }
    }

    private void NoteSelection()
    {
        long now = time.GetTimestamp();
        if (_lastSelection != 0)
        {
            // An exponential mean over about five rounds follows the job's pace without jumping with one slow round.
            _roundInterval = (0.8 * _roundInterval) + (0.2 * time.GetElapsedTime(_lastSelection, now));
        }

        _lastSelection = now;
    }

    private TimeSpan TimeToNextSelection()
    {
        TimeSpan left = _lastSelection == 0 ? TimeSpan.Zero : _roundInterval - time.GetElapsedTime(_lastSelection);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <inheritdoc/>
    public Task Withhold(CheckIn device, string reason, string detail)
    {
        // Forgotten here, so that its next check-in is news to its record as well.
        _profiles.Forget(device.DeviceId);
        grains.Of<IDeviceGrain>(device.DeviceId).Withheld(this.GetPrimaryKeyString(), device, reason, detail).Ignore();
        return Task.CompletedTask;
    }

    private void NoteProfile(CheckIn device)
    {
        if (_profiles.See(device.DeviceId, device, time.GetUtcNow()) is { } known && known.ClientVersion == device.ClientVersion
            && known.Engine == device.Engine && known.Labels.Count == device.Labels.Count && !known.Labels.Except(device.Labels).Any())
        {
            return;
        }

        grains.Of<IDeviceGrain>(device.DeviceId).Seen(this.GetPrimaryKeyString(), device).Ignore();
    }

    private CheckInAnswer Retry(bool poolFull) => new()
    {
        PoolFull = poolFull,
        RetryAfter = PaceSteering.RetryAfter(
            new PaceObservation(_profiles.Count, _demandOf.Values.Sum(), TimeToNextSelection()), options.Value.Pace, _jitter),
    };

    private sealed class Waiter
    {
        public TaskCompletionSource<CheckInAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed record PendingDemand(CohortDemand Demand, TaskCompletionSource<string[]> Chosen);
}
