using Federated.Shared.Models;

namespace Federated.Server.Rounds;

/// <summary>
/// One round, pure: facts in, decision out; no clock, no I/O. It closes once, by the goal, by everybody being accounted for, by the
/// deadline or by being cancelled, and its decision never changes afterwards.
/// <para>
/// A submission is admitted first and accepted when it is durable. A fold that was under way while the round closed by
/// commit is in the durable sum, so it is still recorded as accepted; in an abandoned round it is not, for the sum is
/// discarded. Whoever hosts this either seals the sum before closing or reports such a fold. Not thread-safe.
/// </para>
/// </summary>
internal sealed class RoundStateMachine
{
    /// <summary>Reason recorded for devices that had not reported at the deadline.</summary>
    public const string DeadlineReason = "deadline";

    /// <summary>Reason recorded for devices whose aggregation group had begun without them.</summary>
    public const string LeftOutReason = "left-out";

    /// <summary>Reason recorded for devices whose aggregation group was given up: it had too few members left.</summary>
    public const string GroupAbandonedReason = "group-abandoned";

    /// <summary>Reason recorded for devices that have sent a masked input for a later round than this one, and send none for earlier ones.</summary>
    public const string AheadReason = "ahead";

    private readonly RoundSettings _settings;
    private readonly HashSet<string> _cohort;
    private readonly SortedDictionary<string, ContentHash> _accepted = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _dropped = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _ahead = new(StringComparer.Ordinal);
    private bool _isCancelled;

    /// <summary>Opens a round. One whose cohort is smaller than the quorum is closed at once as abandoned.</summary>
    /// <exception cref="ArgumentException">Goal or quorum out of range, or a device twice in the cohort.</exception>
    public RoundStateMachine(RoundSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Goal < 1 || settings.Quorum < 1 || settings.Quorum > settings.Goal)
        {
            throw new ArgumentException($"Goal {settings.Goal} and quorum {settings.Quorum}: 1 ≤ quorum ≤ goal is required.", nameof(settings));
        }

        _settings = settings;
        _cohort = new HashSet<string>(settings.Cohort, StringComparer.Ordinal);
        if (_cohort.Count != settings.Cohort.Count)
        {
            throw new ArgumentException($"The cohort of {settings.Cohort.Count} names only {_cohort.Count} different devices.", nameof(settings));
        }

        if (_cohort.Count < settings.Quorum)
        {
            Decision = new RoundDecision.Abandon($"{_cohort.Count} devices were selected, the quorum is {settings.Quorum}");
        }
    }

    /// <summary>Null while collecting.</summary>
    public RoundDecision? Decision { get; private set; }

    /// <summary>
    /// Devices that gave up, or were missing at the deadline, by reason in ordinal order. A device that submits after the deadline
    /// stays here.
    /// </summary>
    public IReadOnlyDictionary<string, int> Dropped => new SortedDictionary<string, int>(
        _dropped.Values.CountBy(reason => reason).ToDictionary(), StringComparer.Ordinal);

    /// <summary>Why each of those devices is not in the sum.</summary>
    public IReadOnlyDictionary<string, string> DropReasons => _dropped;

    /// <summary>
    /// The last round that more than a third of the cohort says it has reached; 0 when fewer say so, or the round is not abandoned for want of updates. No more devices than masks
    /// withstand can lie it up beyond what an honest one says.
    /// </summary>
    public long ReachedRound
    {
        get
        {
            int needed = (_cohort.Count / 3) + 1;
            return IsShort && _ahead.Count >= needed ? _ahead.Values.OrderDescending().ElementAt(needed - 1) : 0;
        }
    }

    /// <summary>
    /// Whether the round was abandoned for devices that are ahead of it alone: with them, and with those whose groups had too few members without them, there
    /// would have been enough for the quorum.
    /// </summary>
    public bool IsOvertaken => IsShort && _ahead.Count > 0
        && _cohort.Count - _dropped.Values.Count(reason => reason is not (AheadReason or GroupAbandonedReason)) >= _settings.Quorum;

    /// <summary>What would become of a submission; nothing changes, so it may be asked before the payload is sent.</summary>
    public SubmissionVerdict Judge(string deviceId, ContentHash hash)
    {
        if (!_cohort.Contains(deviceId))
        {
            return SubmissionVerdict.NotSelected;
        }

        if (_accepted.TryGetValue(deviceId, out ContentHash before))
        {
            return before == hash ? SubmissionVerdict.Duplicate : SubmissionVerdict.Conflict;
        }

        return Decision switch
        {
            null => SubmissionVerdict.Admit,
            RoundDecision.Commit => SubmissionVerdict.Late,
            _ => SubmissionVerdict.Abandoned,
        };
    }

    /// <summary>
    /// Judges a submission whose payload is there, without counting it as accepted. Admitting a device that had given up takes it back
    /// into the round: report it to <see cref="Aborted"/> again if its update is then refused.
    /// </summary>
    public SubmissionVerdict Admit(string deviceId, ContentHash hash)
    {
        SubmissionVerdict verdict = Judge(deviceId, hash);
        if (verdict == SubmissionVerdict.Admit)
        {
            _dropped.Remove(deviceId);
            _ahead.Remove(deviceId);
        }

        return verdict;
    }

    /// <summary>
    /// An update is durable in the sum. Closes with commit at the goal. Idempotent, and needs no <see cref="Admit"/> before it, so
    /// that the contributors of a stored sum can be replayed after a crash.
    /// </summary>
    /// <exception cref="ArgumentException">The device is not of the cohort.</exception>
    /// <exception cref="InvalidOperationException">Other content of this device was accepted before: a sum holds it twice.</exception>
    public void Accepted(string deviceId, ContentHash hash)
    {
        if (!_cohort.Contains(deviceId))
        {
            throw new ArgumentException($"Device {deviceId} is not of the cohort, yet a sum holds its update.", nameof(deviceId));
        }

        if (_accepted.TryGetValue(deviceId, out ContentHash before) && before != hash)
        {
            throw new InvalidOperationException($"Device {deviceId} has {before} accepted already and now {hash}: a sum holds it twice.");
        }

        if (Decision is RoundDecision.Abandon)
        {
            return;
        }

        _accepted[deviceId] = hash;
        _dropped.Remove(deviceId);
        _ahead.Remove(deviceId);
        if (Decision is null && _accepted.Count >= _settings.Goal)
        {
            Decision = new RoundDecision.Commit();
        }

        CloseWhenAllAreAccountedFor();
    }

    /// <summary>
    /// A device gives up, or its update was refused. The first reason stays. Changes nothing when the device is not of the cohort, has
    /// been accepted, or the round is closed.
    /// </summary>
    public void Aborted(string deviceId, string reason)
    {
        if (Decision is null && _cohort.Contains(deviceId) && !_accepted.ContainsKey(deviceId))
        {
            _dropped.TryAdd(deviceId, reason);
            CloseWhenAllAreAccountedFor();
        }
    }

    /// <summary>A device gives up because it has sent a masked input for a later round than this one: the store was restored from before that.</summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="reached">The last such round, as the device says.</param>
    public void Ahead(string deviceId, long reached)
    {
        if (IsOutstanding(deviceId))
        {
            _ahead[deviceId] = reached;
            Aborted(deviceId, AheadReason);
        }
    }

    /// <summary>Whether the round collects and still waits for this device.</summary>
    public bool IsOutstanding(string deviceId) =>
        Decision is null && _cohort.Contains(deviceId) && !_accepted.ContainsKey(deviceId) && !_dropped.ContainsKey(deviceId);

    /// <summary>The time for reports is over: commits with a quorum, else abandons. Nothing when closed.</summary>
    public void DeadlineReached()
    {
        if (Decision is not null)
        {
            return;
        }

        int missing = 0;
        foreach (string device in _cohort)
        {
            if (!_accepted.ContainsKey(device) && _dropped.TryAdd(device, DeadlineReason))
            {
                missing++;
            }
        }

        Decision = _accepted.Count >= _settings.Quorum
            ? new RoundDecision.Commit()
            : new RoundDecision.Abandon(
                $"at the deadline {_accepted.Count} of {_cohort.Count} selected devices had been accepted, the quorum is {_settings.Quorum}: {_dropped.Count - missing} gave up{AheadText}, {missing} had not reported");
    }

    /// <summary>
    /// No further update can come although devices are outstanding: every aggregation group has ended. Commits with a quorum, else abandons.
    /// Nothing when closed.
    /// </summary>
    public void CollectionOver()
    {
        if (Decision is not null)
        {
            return;
        }

        foreach (string device in _cohort)
        {
            if (!_accepted.ContainsKey(device))
            {
                _dropped.TryAdd(device, LeftOutReason);
            }
        }

        CloseWhenAllAreAccountedFor();
    }

    /// <summary>A person or the job ends the round. Nothing when closed.</summary>
    public void Cancel(string reason)
    {
        _isCancelled |= Decision is null;
        Decision ??= new RoundDecision.Abandon(reason);
    }

    // Abandoned because too few updates came, and not because somebody wanted it.
    private bool IsShort => Decision is RoundDecision.Abandon && !_isCancelled;

    private string AheadText => _ahead.Count == 0 ? "" : $" ({_ahead.Count} have been in later rounds than the store knows of)";

    // Accepted and dropped devices are disjoint while the round collects.
    private void CloseWhenAllAreAccountedFor()
    {
        if (Decision is null && _accepted.Count + _dropped.Count == _cohort.Count)
        {
            Decision = _accepted.Count >= _settings.Quorum
                ? new RoundDecision.Commit()
                : new RoundDecision.Abandon(
                    $"all {_cohort.Count} selected devices are accounted for: {_accepted.Count} accepted, {_dropped.Count} gave up{AheadText}, the quorum is {_settings.Quorum}");
        }
    }
}
