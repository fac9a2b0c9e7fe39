using Federated.Shared.Protos;
using Google.Protobuf;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>R4: checks the set of survivors against what the client knows, and signs it.</summary>
internal sealed class AwaitingSurvivorsState(JoinedGroup group, ClientSecrets secrets) : ClientState
{
    /// <inheritdoc/>
    public override ClientStep Step => ClientStep.AwaitingSurvivors;

    /// <inheritdoc/>
    public override ClientTransition Receive(GroupServerMessage message)
    {
        GroupSurvivors body = Require(message, message.Survivors, group.Id);
        MemberSet survivors = MemberSet.FromBytes(body.Members.Span, group.Topology.Size)
            ?? throw Refuse($"{body.Members.Length} bytes are no set of {group.Topology.Size} members");
        if (!survivors.Contains(group.Own))
        {
            throw Refuse("this client is said to be gone");
        }

        int[] neighbours = group.Topology.NeighboursOf(group.Own);
        if (Array.Find(neighbours, neighbour => survivors.Contains(neighbour) && !secrets.Holds(neighbour)) is int stranger and > 0)
        {
            throw Refuse($"member {stranger} is among them and never sent shares");
        }

        int holders = 1 + neighbours.Count(survivors.Contains);
        if (holders < group.Topology.Threshold)
        {
            throw new GroupAbortException(
                GroupRefusalReason.Threshold, $"{holders} of this client's share holders survive, the threshold is {group.Topology.Threshold}.");
        }

        byte[] signature = group.Terms.SigningKey.Sign(SignedStatements.Survivors(group.Id, survivors));
        return new ClientTransition(
            new AwaitingConsistencyState(group, secrets, survivors),
            new GroupClientMessage
            {
                SessionId = ByteString.CopyFrom(group.Id.Bytes),
                Signature = new SurvivorSignature { Signature = UnsafeByteOperations.UnsafeWrap(signature) },
            });
    }

    /// <inheritdoc/>
    public override void Dispose() => secrets.Dispose();

    private static GroupAbortException Refuse(string why) => new(GroupRefusalReason.Survivors, $"The survivors are refused: {why}.");
}
