using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Server.SecureAggregation;

/// <summary>R2: takes sealed shares; closing it fixes U2 and relays to each member what was sealed for it.</summary>
internal sealed class CollectingSharesState(GroupRoll roll, ServerTerms terms) : ServerState
{
    private readonly MemberInbox _inbox = new(roll, Enumerable.Range(1, roll.Members.Length));
    private readonly byte[][] _commitments = new byte[roll.Members.Length][];

    // What member u sealed, by recipient, at [u − 1].
    private readonly Dictionary<int, ByteString>[] _sealed = new Dictionary<int, ByteString>[roll.Members.Length];

    /// <inheritdoc/>
    public override ServerStep Step => ServerStep.CollectingShares;

    /// <inheritdoc/>
    public override bool IsComplete => _inbox.IsComplete;

    /// <inheritdoc/>
    public override MemberReply Receive(string deviceId, GroupClientMessage message) => _inbox.Take(deviceId, message, message.Shares, Take);

    /// <inheritdoc/>
    public override ServerTransition Close()
    {
        MemberSet sharing = _inbox.Answered;
        if (roll.FirstBelowThreshold(sharing, sharing) > 0 || sharing.Count < 2)
        {
            return ServerTransition.Abandon(
                $"{sharing.Count} of {roll.Members.Length} members shared their secrets; the threshold is {roll.Topology.Threshold}.");
        }

        Dictionary<string, GroupServerMessage> messages = new(sharing.Count, StringComparer.Ordinal);
        foreach (int member in sharing)
        {
            GroupServerMessage message = roll.NewMessage();
            message.Shares = new IncomingShares();
            message.Shares.Shares.AddRange(roll.Topology.NeighboursOf(member).Where(sharing.Contains)
                .Select(from => new SealedShares { Member = (uint)from, Ciphertext = _sealed[from - 1][member] }));
            messages.Add(roll.DeviceOf(member), message);
        }

        return new ServerTransition(new CollectingInputsState(MaskedGroup.Start(roll, sharing, _commitments), terms), messages);
    }

    private MemberReply Take(int member, OutgoingShares body)
    {
        if (body.SeedCommitment.Length != SeedCommitment.LengthBytes)
        {
            return MemberReply.Malformed(
                $"The seed commitment of member {member} has {body.SeedCommitment.Length} bytes, not {SeedCommitment.LengthBytes}.");
        }

        int[] neighbours = roll.Topology.NeighboursOf(member);
        Dictionary<int, ByteString> byRecipient = new(neighbours.Length);
        foreach (SealedShares shares in body.Shares)
        {
            if (shares.Member > (uint)roll.Members.Length
                || Array.BinarySearch(neighbours, (int)shares.Member) < 0
                || shares.Ciphertext.Length != SharePair.SealedBytes
                || !byRecipient.TryAdd((int)shares.Member, shares.Ciphertext))
            {
                return MemberReply.Malformed(
                    $"Member {member} sealed {shares.Ciphertext.Length} bytes for member {shares.Member}; "
                    + $"expected are {SharePair.SealedBytes} bytes, once, for each neighbour.");
            }
        }

        if (byRecipient.Count != neighbours.Length)
        {
            return MemberReply.Malformed($"Member {member} sealed shares for {byRecipient.Count} of {neighbours.Length} neighbours.");
        }

        _sealed[member - 1] = byRecipient;
        _commitments[member - 1] = body.SeedCommitment.ToByteArray();
        return MemberReply.Accepted;
    }
}
