using System.Security.Cryptography;
using Federated.Server.SecureAggregation;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Simulator.Bench.Groups;

/// <summary>
/// A member that answers the server as a client would, with real keys, shares and signatures, but without the work that is not measured: it
/// seals shares for the measured members alone, and its masked input is noise.
/// </summary>
internal sealed class StandIn(int number, DeviceSigningKey signingKey) : IDisposable
{
    private static readonly ByteString _noShares = ByteString.CopyFrom(new byte[SharePair.SealedBytes]);

    private readonly AgreementKeyPair _maskKey = AgreementKeyPair.Create();
    private readonly AgreementKeyPair _channelKey = AgreementKeyPair.Create();
    private readonly byte[] _seed = RandomNumberGenerator.GetBytes(ShamirLimbs.SecretBytes);
    private int[] _holders = [];
    private uint[] _seedShares = [];
    private uint[] _keyShares = [];

    /// <summary>Its number.</summary>
    public int Number => number;

    /// <summary>R0.</summary>
    public GroupClientMessage Advertise(GroupHeader header) => new()
    {
        Keys = new KeyAdvertisement
        {
            HeaderSha256 = ByteString.CopyFrom(header.Hash.ToBytes()),
            MaskKey = ByteString.CopyFrom(_maskKey.PublicKey.Bytes),
            ChannelKey = ByteString.CopyFrom(_channelKey.PublicKey.Bytes),
            Signature = ByteString.CopyFrom(signingKey.Sign(
                SignedStatements.Keys(header.Hash, EnrolledMembers.DeviceOf(number), _maskKey.PublicKey, _channelKey.PublicKey))),
        },
    };

    /// <summary>R2.</summary>
    public GroupClientMessage Share(GroupRoll roll, IReadOnlySet<int> measured)
    {
        _holders = roll.Topology.HoldersOf(number);
        _seedShares = Split(_seed, roll.Topology.Threshold);
        byte[] scalar = new byte[AgreementKeyPair.SecretBytes];
        _maskKey.ExportPrivateKey(scalar);
        _keyShares = Split(scalar, roll.Topology.Threshold);
        OutgoingShares shares = new() { SeedCommitment = ByteString.CopyFrom(SeedCommitment.Of(roll.Session, number, _seed)) };
        foreach (int neighbour in _holders.Where(holder => holder != number))
        {
            ByteString ciphertext = measured.Contains(neighbour) ? Seal(roll, neighbour) : _noShares;
            shares.Shares.Add(new SealedShares { Member = (uint)neighbour, Ciphertext = ciphertext });
        }

        return new GroupClientMessage { SessionId = ByteString.CopyFrom(roll.Session.Bytes), Shares = shares };
    }

    /// <summary>R4.</summary>
    public ByteString Sign(byte[] statement) => UnsafeByteOperations.UnsafeWrap(signingKey.Sign(statement));

    /// <summary>The share of this member's seed or key that a holder has: [9].</summary>
    public ReadOnlySpan<uint> ShareFor(int holder, bool seed)
    {
        int index = Array.BinarySearch(_holders, holder);
        return (seed ? _seedShares : _keyShares).AsSpan(index * ShamirLimbs.Count, ShamirLimbs.Count);
    }

    /// <summary>Opens what a measured member sealed for this one: a <see cref="SharePair"/>.</summary>
    public byte[] Open(GroupRoll roll, int from, ByteString ciphertext)
    {
        byte[] key = ChannelKey(roll, from, from, number);
        byte[] pair = new byte[SharePair.LengthBytes];
        return ShareCipher.TryOpen(key, roll.Session, from, number, ciphertext.Span, pair)
            ? pair
            : throw new InvalidOperationException($"Member {number} cannot open what member {from} sealed for it.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _maskKey.Dispose();
        _channelKey.Dispose();
    }

    private ByteString Seal(GroupRoll roll, int neighbour)
    {
        byte[] plaintext = new byte[SharePair.LengthBytes];
        byte[] message = new byte[SharePair.SealedBytes];
        SharePair.Write(number, neighbour, ShareFor(neighbour, seed: true), ShareFor(neighbour, seed: false), plaintext);
        ShareCipher.Seal(ChannelKey(roll, neighbour, number, neighbour), roll.Session, number, neighbour, plaintext, message);
        return UnsafeByteOperations.UnsafeWrap(message);
    }

    private byte[] ChannelKey(GroupRoll roll, int peer, int from, int to)
    {
        byte[] agreed = new byte[AgreementKeyPair.SecretBytes];
        byte[] key = new byte[KeySchedule.KeyBytes];
        if (!AgreementPublicKey.TryRead(roll.Members[peer - 1].ChannelKey.Span, out AgreementPublicKey? point))
        {
            throw new InvalidOperationException($"The channel key of member {peer} is no point of the curve.");
        }

        _channelKey.Agree(point, agreed);
        KeySchedule.ShareChannel(agreed, roll.Session, from, to, key);
        return key;
    }

    private uint[] Split(byte[] secret, int threshold)
    {
        uint[] limbs = new uint[ShamirLimbs.Count];
        ShamirLimbs.FromSecret(secret, limbs);
        uint[] shares = new uint[_holders.Length * ShamirLimbs.Count];
        ShamirSharing.Split(limbs, threshold, _holders, shares);
        return shares;
    }
}
