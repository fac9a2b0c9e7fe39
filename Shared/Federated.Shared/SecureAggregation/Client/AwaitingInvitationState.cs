using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>R0: checks the signed header against plan and floors, draws two fresh key pairs, and advertises them signed.</summary>
internal sealed class AwaitingInvitationState(ClientTerms terms, ClientInput input) : ClientState
{
    /// <inheritdoc/>
    public override ClientStep Step => ClientStep.AwaitingInvitation;

    /// <inheritdoc/>
    public override ClientTransition Receive(GroupServerMessage message)
    {
        GroupInvitation invitation = message.Invitation ?? throw Unexpected(message);
        GroupHeader header = ReadHeader(invitation);
        CheckPlan(header);
        CheckFloors(header);
        CheckInput(header);

        AgreementKeyPair maskKey = AgreementKeyPair.Create();
        AgreementKeyPair channelKey = AgreementKeyPair.Create();
        ContentHash hash = header.Hash;
        KeyAdvertisement advertisement = new()
        {
            HeaderSha256 = ByteString.CopyFrom(hash.ToBytes()),
            MaskKey = ByteString.CopyFrom(maskKey.PublicKey.Bytes),
            ChannelKey = ByteString.CopyFrom(channelKey.PublicKey.Bytes),
            Signature = ByteString.CopyFrom(terms.SigningKey.Sign(SignedStatements.Keys(hash, terms.DeviceId, maskKey.PublicKey, channelKey.PublicKey))),
        };
        return new ClientTransition(
            new AwaitingRosterState(terms, input, header, maskKey, channelKey), new GroupClientMessage { Keys = advertisement });
    }

    /// <inheritdoc/>
    public override void Dispose() => input.Fields.Clear();

    private GroupHeader ReadHeader(GroupInvitation invitation)
    {
        if (!terms.ServerKey.Verify(SignedStatements.Header(invitation.Header.Span), invitation.Signature.Span))
        {
            throw Refuse("it is not signed by the server this device knows");
        }

        try
        {
            return GroupHeader.FromBytes(invitation.Header.Memory);
        }
        catch (ProtocolViolationException e)
        {
            throw Refuse(e.Message);
        }
    }

    private void CheckPlan(GroupHeader header)
    {
        if (header.JobId != terms.JobId || header.Round != terms.Round || header.Group != terms.Group)
        {
            throw Refuse($"it is for job {header.JobId}, round {header.Round}, group {header.Group}; "
                + $"the plan says job {terms.JobId}, round {terms.Round}, group {terms.Group}");
        }

        if (header.Plan != terms.Plan)
        {
            throw Refuse("its plan is not the one that this device was given");
        }

        if (header.Model != input.TrainedModel)
        {
            throw Refuse("its model is not the one this client has trained from");
        }
    }

    private void CheckFloors(GroupHeader header)
    {
        if (header.MinMembers < terms.MinMembers || header.MaxMembers > terms.MaxMembers)
        {
            throw new GroupAbortException(
                GroupRefusalReason.Roster,
                $"The header allows {header.MinMembers} to {header.MaxMembers} members; this device takes part with {terms.MinMembers} to {terms.MaxMembers}.");
        }

        if (header.Topology == GroupTopologyKind.NeighbourGraph
            && (!terms.AcceptsNeighbourGraph || header.AdversarialPermille < terms.MinAdversarialPermille))
        {
            throw Refuse($"its neighbour graph assumes {header.AdversarialPermille} ‰ adversaries; "
                + (terms.AcceptsNeighbourGraph ? $"this device demands {terms.MinAdversarialPermille} ‰" : "this device accepts complete groups alone"));
        }
    }

    private void CheckInput(GroupHeader header)
    {
        if (input.Fields.Length != header.FieldCount || input.Fields.WidthBits != header.WidthBits)
        {
            throw Refuse($"it asks for {header.FieldCount} fields of {header.WidthBits} bits; "
                + $"this client holds {input.Fields.Length} fields of {input.Fields.WidthBits} bits");
        }

        int values = header.FieldCount - header.ScalarFieldCount;
        CheckRange(0, values, header.MinField, header.MaxField);
        CheckRange(values, header.FieldCount, 0, header.MaxScalarField);
    }

    private void CheckRange(int from, int to, long min, long max)
    {
        if (input.Fields.FirstOutside(from, to, min, max) is { } index)
        {
            throw new GroupAbortException(
                GroupRefusalReason.Width, $"Field {index} is not between {min} and {max}; clip the update before it becomes fields.");
        }
    }

    private static GroupAbortException Refuse(string why) => new(GroupRefusalReason.Header, $"The group header is refused: {why}.");
}
