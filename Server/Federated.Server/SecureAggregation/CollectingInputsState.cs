using Federated.Shared.Protos;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// R3: adds masked inputs to the running sum and forgets them; closing it fixes U3. The state can be written down after every input: an
/// input that was acknowledged is in the sum that was written.
/// </summary>
internal sealed class CollectingInputsState : ServerState
{
    private readonly MaskedGroup _group;
    private readonly ServerTerms _terms;
    private readonly MemberInbox _inbox;

    /// <summary>Takes the inputs of U2 that are not in the sum yet.</summary>
    public CollectingInputsState(MaskedGroup group, ServerTerms terms)
    {
        _group = group;
        _terms = terms;
        _inbox = new MemberInbox(group.Roll, group.Sharing);
        foreach (int member in group.Survivors)
        {
            _inbox.Add(member);
        }
    }

    /// <inheritdoc/>
    public override ServerStep Step => ServerStep.CollectingInputs;

    /// <inheritdoc/>
    public override bool IsComplete => _inbox.IsComplete;

    /// <summary>The group with the inputs so far.</summary>
    public MaskedGroup Group => _group with { Survivors = _inbox.Answered };

    /// <inheritdoc/>
    public override MemberReply Receive(string deviceId, GroupClientMessage message) => _inbox.Take(deviceId, message, message.Input, Take);

    /// <inheritdoc/>
    public override ServerTransition Close()
    {
        MaskedGroup group = Group;
        GroupRoll roll = group.Roll;
        if (group.Survivors.Count < 2 || roll.FirstBelowThreshold(group.Sharing, group.Survivors) > 0)
        {
            return ServerTransition.Abandon(
                $"{group.Survivors.Count} of {roll.Members.Length} members sent their masked input; the threshold is {roll.Topology.Threshold}.");
        }

        GroupServerMessage message = roll.NewMessage();
        message.Survivors = new GroupSurvivors { Members = Google.Protobuf.ByteString.CopyFrom(group.Survivors.Bytes) };
        return new ServerTransition(
            new CollectingSignaturesState(group, _terms), group.Survivors.ToDictionary(roll.DeviceOf, _ => message, StringComparer.Ordinal));
    }

    private MemberReply Take(int member, MaskedInput input)
    {
        try
        {
            _group.Sum.AddPacked(input.Fields.Span);
            return MemberReply.Accepted;
        }
        catch (ArgumentException e)
        {
            return MemberReply.Malformed($"The masked input of member {member} is refused: {e.Message}");
        }
    }
}
