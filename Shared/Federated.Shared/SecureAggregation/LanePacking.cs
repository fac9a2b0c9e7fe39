using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Packs fields of b bits one after the other, least significant bit first, into ⌈n · b / 8⌉ bytes. What is left of the last byte is zero.
/// </summary>
internal static class LanePacking
{
    /// <summary>Length of <paramref name="length"/> packed fields.</summary>
    public static int LengthBytes(int length, int widthBits) => checked((int)((((long)length * widthBits) + 7) / 8));

    /// <summary>Packs the low b bits of every lane.</summary>
    public static void Pack(ReadOnlySpan<byte> lanes, Span<byte> packed, int length, int widthBits)
    {
        if (packed.Length != LengthBytes(length, widthBits))
        {
            throw new ArgumentException(
                $"{length} fields of {widthBits} bits take {LengthBytes(length, widthBits)} bytes, there is room for {packed.Length}.", nameof(packed));
        }

        switch (widthBits)
        {
            case 8 or 16 or 32:
                lanes.CopyTo(packed);
                break;
            case < 8:
                PackLanes(lanes, packed, widthBits);
                break;
            case < 16:
                PackLanes(MemoryMarshal.Cast<byte, ushort>(lanes), packed, widthBits);
                break;
            default:
                PackLanes(MemoryMarshal.Cast<byte, uint>(lanes), packed, widthBits);
                break;
        }
    }

    /// <summary>Unpacks into lanes whose bits above b are zero.</summary>
    /// <exception cref="ArgumentException">The length is not that of so many fields, or padding bits are set.</exception>
    public static void Unpack(ReadOnlySpan<byte> packed, Span<byte> lanes, int length, int widthBits)
    {
        int expected = LengthBytes(length, widthBits);
        if (packed.Length != expected)
        {
            throw new ArgumentException($"{length} fields of {widthBits} bits take {expected} bytes, these are {packed.Length}.", nameof(packed));
        }

        int surplus = (int)((8L * expected) - ((long)length * widthBits));
        if (surplus > 0 && packed[^1] >> (8 - surplus) != 0)
        {
            throw new ArgumentException($"The {surplus} bits after the last field are not zero.", nameof(packed));
        }

        switch (widthBits)
        {
            case 8 or 16 or 32:
                packed.CopyTo(lanes);
                break;
            case < 8:
                UnpackLanes(packed, lanes, widthBits);
                break;
            case < 16:
                UnpackLanes(packed, MemoryMarshal.Cast<byte, ushort>(lanes), widthBits);
                break;
            default:
                UnpackLanes(packed, MemoryMarshal.Cast<byte, uint>(lanes), widthBits);
                break;
        }
    }

    // The window never holds more than 31 + 32 bits.
    private static void PackLanes<T>(ReadOnlySpan<T> lanes, Span<byte> packed, int widthBits)
        where T : unmanaged, IBinaryInteger<T>
    {
        unchecked
        {
            ulong mask = (1UL << widthBits) - 1;
            ulong window = 0;
            int bits = 0;
            int next = 0;
            foreach (T lane in lanes)
            {
                window |= (ulong.CreateTruncating(lane) & mask) << bits;
                bits += widthBits;
                if (bits >= 32)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(packed[next..], (uint)window);
                    next += sizeof(uint);
                    window >>= 32;
                    bits -= 32;
                }
            }

            for (; next < packed.Length; next++)
            {
                packed[next] = (byte)window;
                window >>= 8;
            }
        }
    }

    private static void UnpackLanes<T>(ReadOnlySpan<byte> packed, Span<T> lanes, int widthBits)
        where T : unmanaged, IBinaryInteger<T>
    {
        unchecked
        {
            ulong mask = (1UL << widthBits) - 1;
            ulong window = 0;
            int bits = 0;
            int next = 0;
            foreach (ref T lane in lanes)
            {
                if (bits < widthBits)
                {
                    if (next + sizeof(uint) <= packed.Length)
                    {
                        window |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(packed[next..]) << bits;
                        next += sizeof(uint);
                        bits += 32;
                    }
                    else
                    {
                        for (; next < packed.Length; next++, bits += 8)
                        {
                            window |= (ulong)packed[next] << bits;
                        }
                    }
                }

                lane = T.CreateTruncating(window & mask);
                window >>= widthBits;
                bits -= widthBits;
            }
        }
    }
}
