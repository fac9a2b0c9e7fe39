using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Names one run of the protocol: SHA-256 over the group header and everyone's device identifier, keys and signature in order. Each
/// client computes it from what it has verified; it never takes it from the server. Immutable.
/// </summary>
public sealed class SessionId : IEquatable<SessionId>
{
    /// <summary>Length of the digest.</summary>
    public const int LengthBytes = SHA256.HashSizeInBytes;

    private static readonly byte[] _domain = "federated/secure-aggregation/1/session"u8.ToArray();

    private readonly byte[] _bytes;

    private SessionId(byte[] bytes) => _bytes = bytes;

    /// <summary>The digest: [32].</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The session of a header and its members, in the order of their numbers.</summary>
    public static SessionId Of(GroupHeader header, IReadOnlyList<GroupMember> members)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(members);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(int)];
        hash.AppendData(_domain);
        hash.AppendData(header.Hash.ToBytes());
        BinaryPrimitives.WriteInt32LittleEndian(length, members.Count);
        hash.AppendData(length);
        foreach (GroupMember member in members)
        {
            byte[] id = Encoding.UTF8.GetBytes(member.DeviceId);
            BinaryPrimitives.WriteInt32LittleEndian(length, id.Length);
            hash.AppendData(length);
            hash.AppendData(id);
            hash.AppendData(member.MaskKey.Span);
            hash.AppendData(member.ChannelKey.Span);
            hash.AppendData(member.Signature.Span);
        }

        return new SessionId(hash.GetHashAndReset());
    }

    /// <summary>Wraps a digest of a stored document.</summary>
    /// <exception cref="ArgumentException">The length is not 32.</exception>
    public static SessionId FromBytes(ReadOnlySpan<byte> digest) => digest.Length == LengthBytes
        ? new SessionId(digest.ToArray())
        : throw new ArgumentException($"A session identifier has {LengthBytes} bytes, this has {digest.Length}.", nameof(digest));

    /// <summary>Whether these bytes are this session's, all of them.</summary>
    public bool Matches(ReadOnlySpan<byte> bytes) => CryptographicOperations.FixedTimeEquals(_bytes, bytes);

    /// <summary>Whether both name the same session.</summary>
    public bool Equals(SessionId? other) => other is not null && Matches(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SessionId);

    /// <inheritdoc/>
    public override int GetHashCode() => BinaryPrimitives.ReadInt32LittleEndian(_bytes);

    /// <inheritdoc/>
    public override string ToString() => Convert.ToHexStringLower(_bytes);
}
