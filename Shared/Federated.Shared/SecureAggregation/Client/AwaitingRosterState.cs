using System.Security.Cryptography;
using Federated.Shared.Models;
using Federated.Shared.Protos;
using Google.Protobuf;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>
/// R1 and R2: computes session, numbers and neighbours itself, verifies the neighbours' signed keys (in a complete group, everyone's), and
/// sends each neighbour sealed shares of its seed and its mask key.
/// </summary>
internal sealed class AwaitingRosterState(
    ClientTerms terms, ClientInput input, GroupHeader header, AgreementKeyPair maskKey, AgreementKeyPair channelKey) : ClientState
{
    /// <inheritdoc/>
    public override ClientStep Step => ClientStep.AwaitingRoster;

    /// <inheritdoc/>
    public override ClientTransition Receive(GroupServerMessage message)
    {
        GroupRoster roster = message.Roster ?? throw Unexpected(message);
        GroupMember[] members = RosterReading.Read(roster, header);
        int own = RosterReading.FindOwn(members, terms.DeviceId, maskKey.PublicKey, channelKey.PublicKey);
        SessionId session = SessionId.Of(header, members);
        Require(message, message.Roster, session);

        GroupTopology topology = GroupTopology.Of(header, members.Length, session);
        ContentHash hash = header.Hash;
        Dictionary<int, NeighbourKeys> neighbours = topology.NeighboursOf(own)
            .ToDictionary(number => number, number => RosterReading.Verify(members[number - 1], hash, terms.Devices));
        ClientSecrets secrets = new(maskKey);
        try
        {
            OutgoingShares shares = Seal(neighbours, own, session, topology, secrets);
            channelKey.Dispose();
            JoinedGroup group = new(terms, input, header, members, neighbours, own, session, topology);
            return new ClientTransition(
                new AwaitingSharesState(group, secrets),
                new GroupClientMessage { SessionId = ByteString.CopyFrom(session.Bytes), Shares = shares });
        }
        catch
        {
            secrets.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        maskKey.Dispose();
        channelKey.Dispose();
        input.Fields.Clear();
    }

    private OutgoingShares Seal(Dictionary<int, NeighbourKeys> neighbours, int own, SessionId session, GroupTopology topology, ClientSecrets secrets)
    {
        int[] holders = topology.HoldersOf(own);
        uint[] seedShares = secrets.SplitSeed(topology.Threshold, holders);
        uint[] keyShares = secrets.SplitMaskKey(topology.Threshold, holders);
        OutgoingShares outgoing = new() { SeedCommitment = ByteString.CopyFrom(SeedCommitment.Of(session, own, secrets.Seed)) };
        byte[] plaintext = new byte[SharePair.LengthBytes];
        Span<byte> agreed = stackalloc byte[AgreementKeyPair.SecretBytes];
        Span<byte> key = stackalloc byte[KeySchedule.KeyBytes];
        for (int i = 0; i < holders.Length; i++)
        {
            int holder = holders[i];
            ReadOnlySpan<uint> seedShare = seedShares.AsSpan(i * ShamirLimbs.Count, ShamirLimbs.Count);
            if (holder == own)
            {
                // A member keeps a share of its own seed, so that it counts towards the threshold; never one of its own key.
                secrets.KeepOwnSeedShare(seedShare);
                continue;
            }

            channelKey.Agree(neighbours[holder].Channel, agreed);
            SharePair.Write(own, holder, seedShare, keyShares.AsSpan(i * ShamirLimbs.Count, ShamirLimbs.Count), plaintext);
            KeySchedule.ShareChannel(agreed, session, own, holder, key);
            byte[] sealedShares = new byte[SharePair.SealedBytes];
            ShareCipher.Seal(key, session, own, holder, plaintext, sealedShares);
            outgoing.Shares.Add(new SealedShares { Member = (uint)holder, Ciphertext = UnsafeByteOperations.UnsafeWrap(sealedShares) });

            KeySchedule.ShareChannel(agreed, session, holder, own, key);
            secrets.KeepIncomingKey(holder, key);
        }

        CryptographicOperations.ZeroMemory(plaintext);
        CryptographicOperations.ZeroMemory(agreed);
        CryptographicOperations.ZeroMemory(key);
        Array.Clear(seedShares);
        Array.Clear(keyShares);
        return outgoing;
    }
}
