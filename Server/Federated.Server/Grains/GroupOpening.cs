using Federated.Server.SecureAggregation;
using Federated.Shared.Protocol;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Grains;

/// <summary>Opens a group's desk and tally, fresh or from what is durable of it.</summary>
internal sealed class GroupOpening
{
    // A group's number lies in the lower bits, the attempt above.
    private const int AttemptShift = 16;
    private const int Attempts = 1 << 14;

    private readonly string _key;
    private readonly int _group;
    private readonly RoundStart _round;
    private readonly PlanDocument _plan;
    private readonly LinearRound _linear;
    private readonly string[] _invited;

    /// <summary>Reads what the round says of the group.</summary>
    /// <param name="key">The group's key.</param>
    /// <param name="group">Its number in the round.</param>
    /// <param name="round">The round.</param>
    /// <exception cref="InvalidOperationException">The round is not under secure aggregation.</exception>
    public GroupOpening(string key, int group, RoundStart round)
    {
        SecureRound secure = round.Secure ?? throw new InvalidOperationException($"The round of group {key} is not under secure aggregation.");
        (_key, _group, _round, _plan) = (key, group, round, RoundPlanner.PlanOf(round, group));
        _linear = _plan.Linear ?? throw new InvalidOperationException($"The plan of group {key} has no linear round.");
        _invited = [.. round.Cohort.Zip(secure.GroupOf).Where(pair => pair.Second == group).Select(pair => pair.First)];
    }

    /// <summary>Begins under a header of its own, so that no key of an earlier attempt is of use.</summary>
    public (GroupDesk Desk, GroupTally Tally) Begin(DeviceSigningKey signing, ServerTerms terms)
    {
        using KeyedGenerator random = KeyedGenerator.Create();
        GroupHeader header = GroupHeaders.Of(_round, _plan, _linear, _group + ((int)(random.NextUInt64() % Attempts) << AttemptShift));
        return (new GroupDesk(new SecureAggregationServer(header, signing, _invited, terms), _invited), TallyOf(header));
    }

    /// <summary>Goes on with what is durable.</summary>
    public (GroupDesk Desk, GroupTally Tally) Restore(MaskedGroupDocument document, Dictionary<string, Shared.Protos.GroupServerMessage> shares, ServerTerms terms) =>
        (GroupDesk.Restore(document, shares, terms), TallyOf(document.Group.Roll.Header));

    private GroupTally TallyOf(GroupHeader header) => new(_key, _group, _round, _linear, header);
}
