using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Shared.Protocol;
using Federated.Simulator.Faults;
using Federated.Training;

namespace Federated.Simulator.Population;

/// <summary>
/// One simulated device: the real client session, again and again, over a link and a model cache that it shares with the others. It is its
/// own session's observer, through which the fault model loses it or holds it back. What it holds of its own is its list of examples and what it remembers.
/// </summary>
internal sealed class VirtualDevice : ISessionObserver, IDisposable
{
    private static readonly TimeSpan _pauseAfterBrokenLink = TimeSpan.FromSeconds(1);

    // How long a server may be away: one that never answered is not there, one that did may be on its way back.
    private static readonly TimeSpan _patienceAtFirst = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    private readonly FleetSurroundings _surroundings;
    private readonly FleetProfile _profile;
    private readonly DeviceMemory _memory = new();
    private readonly ClientSession _session;
    private readonly int _examples;
    private readonly CancellationTokenSource _stop = new();
    private volatile bool _inRound;
    private volatile bool _draining;

    /// <summary>A device that does nothing yet.</summary>
    public VirtualDevice(
        ClientIdentity identity,
        IServerLink link,
        IExampleSource examples,
        FleetProfile profile,
        FleetSurroundings surroundings,
        GroupMembership? enrollment)
    {
        _surroundings = surroundings;
        _profile = profile;
        _examples = examples.Count;
        _session = new ClientSession(identity, link, surroundings.Models, examples, surroundings.Session, surroundings.Time, this, _memory, enrollment);
    }

    /// <summary>Checks in and takes part until it is told to stop.</summary>
    /// <exception cref="ServerLinkException">The server refuses the device for good, or did not answer for minutes.</exception>
    public async Task RunAsync()
    {
        CancellationToken stopping = _stop.Token;
        long? awaySince = null;
        TimeSpan patience = _patienceAtFirst;
        try
        {
            while (!_draining)
            {
                TimeSpan pause;
                try
                {
                    pause = (await _session.RunOnceAsync(stopping)).RetryAfter;
                    (awaySince, patience) = (null, _patience);
                }
                catch (ServerLinkException e) when (e.Retriable && (e.Code is not null || Elapsed(ref awaySince) < patience))
                {
                    pause = _pauseAfterBrokenLink;
                }

                if (pause > TimeSpan.Zero && !_draining)
                {
                    await Task.Delay(pause, _surroundings.Time, stopping);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>How long it is since a first failure, which is now when there was none before.</summary>
    private TimeSpan Elapsed(ref long? since) => _surroundings.Time.GetElapsedTime(since ??= _surroundings.Time.GetTimestamp());

    /// <summary>Finishes the round it is in, if any, and stops.</summary>
    public Task DrainAsync()
    {
        _draining = true;
        return _inRound ? Task.CompletedTask : StopAsync();
    }

    /// <summary>Stops at once.</summary>
    public Task StopAsync()
    {
        _draining = true;
        return _stop.CancelAsync();
    }

    /// <inheritdoc/>
    public async ValueTask AssignedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct)
    {
        _inRound = true;
        FaultModel faults = _surroundings.Faults;
        HeldAdapter? held = _memory.Held.Read(plan.JobId, plan.ParameterCount);
        TimeSpan completion = faults.CompletionTime(_profile, plan.Round, who.DeviceId, PlannedWork.Of(plan, _examples, held));
        bool tooSlow = completion > plan.Deadline;
        if (!tooSlow && !faults.Drops(plan.Round, who.DeviceId))
        {
            _surroundings.Gate.Assign(plan, who.DeviceId, completion);
            return;
        }

        _surroundings.Gate.AssignLost(plan, who.DeviceId, announced: !_surroundings.SilentLosses);
        if (_surroundings.SilentLosses)
        {
            // The session's own deadline ends this; until then the server hears nothing.
            await Task.Delay(Timeout.InfiniteTimeSpan, _surroundings.Time, ct);
        }

        throw new SimulatedLossException(tooSlow
            ? FormattableString.Invariant($"It would take {completion.TotalSeconds:0} s, the round allows {plan.Deadline.TotalSeconds:0} s.")
            : "The scenario drops this device.");
    }

    /// <inheritdoc/>
    public async ValueTask TrainedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct) =>
        await _surroundings.Gate.AdmitAsync(plan, who.DeviceId, ct);

    /// <inheritdoc/>
    public ValueTask EndedAsync(ClientIdentity who, SessionReport report, CancellationToken ct)
    {
        _inRound = false;
        if (report.Plan is { } plan)
        {
            bool accepted = report.Result == SessionResult.Accepted;
            _surroundings.Gate.End(plan, who.DeviceId, accepted);
            if (accepted)
            {
                _surroundings.Energy.Add(_profile, PlannedWork.Of(plan, _examples).Examples, report.BytesUp + report.BytesDown);
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();
}
