using Federated.Shared.Protos;
using Google.Protobuf;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>
/// R5: demands signatures of t share holders, itself included, on the very set it has signed, and then gives out, once, the seed's share of
/// every survivor and the key's share of every drop-out. Every member is one or the other, never both.
/// </summary>
internal sealed class AwaitingConsistencyState(JoinedGroup group, ClientSecrets secrets, MemberSet survivors) : ClientState
{
    /// <inheritdoc/>
    public override ClientStep Step => ClientStep.AwaitingConsistency;

    /// <inheritdoc/>
    public override ClientTransition Receive(GroupServerMessage message)
    {
        ConsistencyProof proof = Require(message, message.Consistency, group.Id);
        CheckSignatures(proof);

        UnmaskingShares unmasking = new();
        unmasking.Shares.Add(new UnmaskingShare { Member = (uint)group.Own, SeedShare = ByteString.CopyFrom(secrets.OwnSeedShare) });
        foreach (int member in secrets.Senders)
        {
            ReadOnlySpan<byte> pair = secrets.SharesOf(member);
            unmasking.Shares.Add(survivors.Contains(member)
                ? new UnmaskingShare { Member = (uint)member, SeedShare = ByteString.CopyFrom(SharePair.SeedShare(pair)) }
                : new UnmaskingShare { Member = (uint)member, KeyShare = ByteString.CopyFrom(SharePair.KeyShare(pair)) });
        }

        secrets.Dispose();
        return new ClientTransition(
            new FinalState(ClientStep.Completed),
            new GroupClientMessage { SessionId = ByteString.CopyFrom(group.Id.Bytes), Unmasking = unmasking });
    }

    /// <inheritdoc/>
    public override void Dispose() => secrets.Dispose();

    private void CheckSignatures(ConsistencyProof proof)
    {
        byte[] statement = SignedStatements.Survivors(group.Id, survivors);
        HashSet<int> holders = [.. group.Topology.NeighboursOf(group.Own).Where(survivors.Contains)];
        int signatures = 1;
        foreach (MemberSignature signature in proof.Signatures)
        {
            int member = signature.Member <= (uint)group.Members.Length ? (int)signature.Member : 0;

            // Removing from the set makes the second signature of one member a stranger's.
            if (!holders.Remove(member))
            {
                throw Refuse($"member {signature.Member} is no surviving share holder of this client, or signed twice");
            }

            if (group.Terms.Devices.Find(group.Members[member - 1].DeviceId)?.Verify(statement, signature.Signature.Span) != true)
            {
                throw Refuse($"the signature of member {member} is not on the survivors this client was told");
            }

            signatures++;
        }

        if (signatures < group.Topology.Threshold)
        {
            throw new GroupAbortException(
                GroupRefusalReason.Threshold, $"{signatures} share holders have signed the survivors, the threshold is {group.Topology.Threshold}.");
        }
    }

    private static GroupAbortException Refuse(string why) => new(GroupRefusalReason.Signature, $"The consistency proof is refused: {why}.");
}
