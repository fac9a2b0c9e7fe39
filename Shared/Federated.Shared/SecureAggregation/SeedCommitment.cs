using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// SHA-256 over session, member and seed. A seed has 256 random bits, so the digest hides it; with it the server notices a seed that was
/// reconstructed from a wrong share, which would otherwise spoil the sum unseen. An addition to the published protocol.
/// </summary>
public static class SeedCommitment
{
    /// <summary>Length of the digest.</summary>
    public const int LengthBytes = SHA256.HashSizeInBytes;

    /// <summary>The commitment: [32].</summary>
    public static byte[] Of(SessionId session, int member, ReadOnlySpan<byte> seed)
    {
        ArgumentNullException.ThrowIfNull(session);
        Span<byte> text = stackalloc byte[SessionId.LengthBytes + sizeof(int) + ShamirLimbs.SecretBytes];
        session.Bytes.CopyTo(text);
        BinaryPrimitives.WriteInt32LittleEndian(text[SessionId.LengthBytes..], member);
        seed.CopyTo(text[(SessionId.LengthBytes + sizeof(int))..]);
        byte[] digest = SHA256.HashData(text);
        CryptographicOperations.ZeroMemory(text);
        return digest;
    }
}
