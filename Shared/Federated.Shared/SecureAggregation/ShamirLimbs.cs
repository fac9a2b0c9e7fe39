using System.Buffers.Binary;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// A 256-bit secret as nine 31-bit limbs, most significant first; and shares of it as nine field elements of four bytes each.
/// </summary>
public static class ShamirLimbs
{
    /// <summary>Length of a secret.</summary>
    public const int SecretBytes = 32;

    /// <summary>⌈256 / 31⌉.</summary>
    public const int Count = 9;

    /// <summary>Length of an encoded share: little-endian uint32 each.</summary>
    public const int ShareBytes = Count * sizeof(uint);

    private const int LimbBits = 31;

    /// <summary>Splits 32 big-endian bytes into limbs: [9], each below 2³¹, the first below 2⁸.</summary>
    public static void FromSecret(ReadOnlySpan<byte> secret, Span<uint> limbs)
    {
        ulong window = 0;
        int bits = 0;
        int next = Count - 1;
        for (int i = SecretBytes - 1; i >= 0; i--)
        {
            window |= (ulong)secret[i] << bits;
            bits += 8;
            if (bits >= LimbBits)
            {
                limbs[next--] = (uint)(window & int.MaxValue);
                window >>= LimbBits;
                bits -= LimbBits;
            }
        }

        limbs[next] = (uint)window;
    }

    /// <summary>Joins limbs to 32 big-endian bytes; false when they are no secret (a limb is too large).</summary>
    public static bool TryToSecret(ReadOnlySpan<uint> limbs, Span<byte> secret)
    {
        ulong window = 0;
        int bits = 0;
        int next = Count - 1;
        uint excess = limbs[0] >> 8;
        for (int i = SecretBytes - 1; i >= 0; i--)
        {
            if (bits < 8 && next >= 0)
            {
                window |= (ulong)limbs[next] << bits;
                excess |= limbs[next] >> LimbBits;
                bits += LimbBits;
                next--;
            }

            secret[i] = unchecked((byte)window);
            window >>= 8;
            bits -= 8;
        }

        return excess == 0;
    }

    /// <summary>Writes a share: [36].</summary>
    public static void WriteShare(ReadOnlySpan<uint> share, Span<byte> destination)
    {
        for (int i = 0; i < Count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(destination[(i * sizeof(uint))..], share[i]);
        }
    }

    /// <summary>Reads a share; false when the length is wrong or a value is no field element.</summary>
    public static bool TryReadShare(ReadOnlySpan<byte> source, Span<uint> share)
    {
        if (source.Length != ShareBytes)
        {
            return false;
        }

        bool valid = true;
        for (int i = 0; i < Count; i++)
        {
            share[i] = BinaryPrimitives.ReadUInt32LittleEndian(source[(i * sizeof(uint))..]);
            valid &= share[i] < ShamirField.Prime;
        }

        return valid;
    }
}
