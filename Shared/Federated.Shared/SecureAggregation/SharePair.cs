using System.Buffers.Binary;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// What one member tells another about its secrets, before sealing: from ‖ to ‖ share of the seed ‖ share of the mask key. 4 + 4 + 36 + 36
/// bytes, little-endian.
/// </summary>
public static class SharePair
{
    /// <summary>Length of the plaintext.</summary>
    public const int LengthBytes = (2 * sizeof(int)) + (2 * ShamirLimbs.ShareBytes);

    /// <summary>Length sealed.</summary>
    public const int SealedBytes = LengthBytes + ShareCipher.TagBytes;

    private const int SeedOffset = 2 * sizeof(int);
    private const int KeyOffset = SeedOffset + ShamirLimbs.ShareBytes;

    /// <summary>Writes the plaintext.</summary>
    public static void Write(int from, int to, ReadOnlySpan<uint> seedShare, ReadOnlySpan<uint> keyShare, Span<byte> plaintext)
    {
        BinaryPrimitives.WriteInt32LittleEndian(plaintext, from);
        BinaryPrimitives.WriteInt32LittleEndian(plaintext[sizeof(int)..], to);
        ShamirLimbs.WriteShare(seedShare, plaintext[SeedOffset..]);
        ShamirLimbs.WriteShare(keyShare, plaintext[KeyOffset..]);
    }

    /// <summary>Whether the plaintext names these two and holds shares.</summary>
    public static bool IsFor(ReadOnlySpan<byte> plaintext, int from, int to)
    {
        Span<uint> share = stackalloc uint[ShamirLimbs.Count];
        bool valid = plaintext.Length == LengthBytes
            && BinaryPrimitives.ReadInt32LittleEndian(plaintext) == from
            && BinaryPrimitives.ReadInt32LittleEndian(plaintext[sizeof(int)..]) == to
            && ShamirLimbs.TryReadShare(SeedShare(plaintext), share)
            && ShamirLimbs.TryReadShare(KeyShare(plaintext), share);
        share.Clear();
        return valid;
    }

    /// <summary>The share of the seed: [36].</summary>
    public static ReadOnlySpan<byte> SeedShare(ReadOnlySpan<byte> plaintext) => plaintext.Slice(SeedOffset, ShamirLimbs.ShareBytes);

    /// <summary>The share of the mask key: [36].</summary>
    public static ReadOnlySpan<byte> KeyShare(ReadOnlySpan<byte> plaintext) => plaintext.Slice(KeyOffset, ShamirLimbs.ShareBytes);
}
