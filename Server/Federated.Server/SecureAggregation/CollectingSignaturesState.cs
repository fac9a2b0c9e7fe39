using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// R4: takes the survivors' signatures on their own set; closing it fixes U4 and gives each as many signatures as it needs.
/// </summary>
internal sealed class CollectingSignaturesState(MaskedGroup group, ServerTerms terms) : ServerState
{
    private readonly MemberInbox _inbox = new(group.Roll, group.Survivors);
    private readonly Dictionary<int, ByteString> _signatures = [];
    private readonly byte[] _statement = SignedStatements.Survivors(group.Roll.Session, group.Survivors);

    /// <inheritdoc/>
    public override ServerStep Step => ServerStep.CollectingSignatures;

    /// <inheritdoc/>
    public override bool IsComplete => _inbox.IsComplete;

    /// <summary>The group; U3 is final.</summary>
    public MaskedGroup Group => group;

    /// <inheritdoc/>
    public override MemberReply Receive(string deviceId, GroupClientMessage message) => _inbox.Take(deviceId, message, message.Signature, Take);

    /// <inheritdoc/>
    public override ServerTransition Close()
    {
        GroupRoll roll = group.Roll;
        MemberSet signing = _inbox.Answered;
        if (roll.FirstBelowThreshold(group.Sharing, signing) > 0)
        {
            return ServerTransition.Abandon(
                $"{signing.Count} of {group.Survivors.Count} survivors signed; the threshold is {roll.Topology.Threshold}.");
        }

        Dictionary<string, GroupServerMessage> messages = new(signing.Count, StringComparer.Ordinal);
        foreach (int member in signing)
        {
            GroupServerMessage message = roll.NewMessage();
            message.Consistency = new ConsistencyProof();

            // With its own signature the member counts t.
            message.Consistency.Signatures.AddRange(roll.Topology.NeighboursOf(member).Where(signing.Contains).Take(roll.Topology.Threshold - 1)
                .Select(other => new MemberSignature { Member = (uint)other, Signature = _signatures[other] }));
            messages.Add(roll.DeviceOf(member), message);
        }

        return new ServerTransition(new CollectingUnmaskingState(group, signing, terms), messages);
    }

    private MemberReply Take(int member, SurvivorSignature body)
    {
        if (terms.Devices.Find(group.Roll.DeviceOf(member))?.Verify(_statement, body.Signature.Span) != true)
        {
            return MemberReply.Malformed($"The signature of member {member} is not on the survivors it was told.");
        }

        _signatures.Add(member, body.Signature);
        return MemberReply.Accepted;
    }
}
