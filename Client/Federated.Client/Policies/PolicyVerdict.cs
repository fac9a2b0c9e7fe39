using System.Collections.Immutable;
using Federated.Shared.Protos;

namespace Federated.Client.Policies;

/// <summary>
/// Judges readings one after the other: refuses at once, and allows again only when everything has been well for a while. A sensor that is gone for a moment
/// counts with what it said last. Not thread-safe.
/// </summary>
/// <param name="policy">The demands, checked.</param>
internal sealed class PolicyVerdict(DevicePolicy policy)
{
    private static readonly TimeSpan _remembered = TimeSpan.FromSeconds(30);

    private readonly PolicyRules _rules = new(policy);
    private readonly SensorMemory _memory = new(_remembered);
    private readonly HashSet<PolicyReason> _held = [];
    private ImmutableArray<PolicyRefusal> _last = [];
    private TimeSpan? _wellSince;

    /// <summary>What forbids training now; empty when it is allowed. While everything settles, what has forbidden it last.</summary>
    /// <param name="reading">What the sensors say.</param>
    /// <param name="use">What was used today.</param>
    /// <param name="now">Time of the day where the device is.</param>
    /// <param name="at">A clock that only goes on.</param>
    public ImmutableArray<PolicyRefusal> Next(DeviceReading reading, DayUse use, TimeOnly now, TimeSpan at)
    {
        ImmutableArray<PolicyRefusal> refusals = _rules.Judge(_memory.Complete(reading, at), use, now, _held);
        _held.Clear();
        if (!refusals.IsEmpty)
        {
            _held.UnionWith(refusals.Select(refusal => refusal.Reason));
            _wellSince = null;
            _last = refusals;
            return refusals;
        }

        _wellSince ??= at;
        if (!_last.IsEmpty && at - _wellSince >= TimeSpan.FromSeconds(policy.SettleSeconds))
        {
            _last = [];
        }

        return _last;
    }
}
