using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Federated.Shared.Updates.Bits;

/// <summary>
/// Fields of 2 to 32 bits without gaps: field i occupies the bits i·b to i·b + b − 1, bit 0 being the lowest of the first byte. n fields
/// take ⌈n·b/8⌉ bytes; what the last byte has left over is zero. A field is an element of the ring of integers modulo 2^b; the upper bits
/// of the integer it lies in are ignored. Codecs have fields in a <c>uint</c> each, masked vectors in the narrowest integer. Pure kernels; modular, hence
/// unchecked.
/// </summary>
public static class FieldPacking
{
    /// <summary>Narrowest field.</summary>
    public const int MinWidthBits = 2;

    /// <summary>Widest field.</summary>
    public const int MaxWidthBits = 32;

    /// <summary>Bytes of so many fields.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The width is not 2 to 32, or the count negative.</exception>
    public static long LengthBytes(int count, int widthBits)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        DemandWidth(widthBits);
        return (((long)count * widthBits) + 7) / 8;
    }

    /// <summary>Packs the lowest <paramref name="widthBits"/> bits of every field.</summary>
    /// <typeparam name="T">What a field lies in: <c>byte</c>, <c>ushort</c> or <c>uint</c>, of b bits at least.</typeparam>
    /// <param name="fields">[n].</param>
    /// <param name="widthBits">b, 2 to 32.</param>
    /// <param name="destination">Exactly <see cref="LengthBytes"/>.</param>
    /// <exception cref="ArgumentException">The destination has another length, or the width is not one of such fields.</exception>
    public static void Pack<T>(ReadOnlySpan<T> fields, int widthBits, Span<byte> destination)
        where T : unmanaged, IBinaryInteger<T>
    {
        DemandLength<T>(fields.Length, widthBits, destination.Length);
        if (IsAsInMemory<T>(widthBits))
        {
            MemoryMarshal.AsBytes(fields).CopyTo(destination);
            return;
        }

        PackBits(fields, widthBits, destination);
    }

    /// <summary>Reads the fields: [n], each below 2^b.</summary>
    /// <typeparam name="T">What a field is to lie in: <c>byte</c>, <c>ushort</c> or <c>uint</c>, of b bits at least.</typeparam>
    /// <exception cref="ArgumentException">The source has another length than <see cref="LengthBytes"/>, or the width is not one of such fields.</exception>
    public static void Unpack<T>(ReadOnlySpan<byte> source, int widthBits, Span<T> fields)
        where T : unmanaged, IBinaryInteger<T>
    {
        DemandLength<T>(fields.Length, widthBits, source.Length);
        if (IsAsInMemory<T>(widthBits))
        {
            source.CopyTo(MemoryMarshal.AsBytes(fields));
            return;
        }

        UnpackBits(source, widthBits, fields);
    }

    /// <summary>Whether the bits left over in the last byte are zero, as <see cref="Pack"/> leaves them.</summary>
    public static bool EndsClean(ReadOnlySpan<byte> source, int count, int widthBits)
    {
        int used = (int)((long)count * widthBits % 8);
        return used == 0 || source[^1] >> used == 0;
    }

    /// <summary>2^b − 1.</summary>
    internal static uint Mask(int widthBits) => uint.MaxValue >> (32 - widthBits);

    private static void DemandWidth(int widthBits)
    {
        if (widthBits is < MinWidthBits or > MaxWidthBits)
        {
            throw new ArgumentOutOfRangeException(nameof(widthBits), widthBits, $"Fields have {MinWidthBits} to {MaxWidthBits} bits.");
        }
    }

    private static void DemandLength<T>(int count, int widthBits, int bytes)
        where T : unmanaged
    {
        if (widthBits > 8 * Unsafe.SizeOf<T>())
        {
            throw new ArgumentOutOfRangeException(nameof(widthBits), widthBits, $"A {typeof(T).Name} holds a field of {8 * Unsafe.SizeOf<T>()} bits at most.");
        }

        if (LengthBytes(count, widthBits) != bytes)
        {
            throw new ArgumentException($"{count} fields of {widthBits} bits take {LengthBytes(count, widthBits)} bytes, not {bytes}.", nameof(bytes));
        }
    }

    /// <summary>Whether packed fields have the bytes that they have in memory.</summary>
    private static bool IsAsInMemory<T>(int widthBits)
        where T : unmanaged => BitConverter.IsLittleEndian && widthBits == 8 * Unsafe.SizeOf<T>();

    // The windows never hold more than 31 + 32 bits. They are locals, which the compiler keeps in registers: those of a BitWriter it may not, at a third of the speed.
    private static void PackBits<T>(ReadOnlySpan<T> fields, int widthBits, Span<byte> destination)
        where T : unmanaged, IBinaryInteger<T>
    {
        unchecked
        {
            ulong mask = Mask(widthBits);
            ulong window = 0;
            int bits = 0;
            int next = 0;
            foreach (T field in fields)
            {
                window |= (ulong.CreateTruncating(field) & mask) << bits;
                bits += widthBits;
                if (bits >= 32)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(destination[next..], (uint)window);
                    next += sizeof(uint);
                    window >>= 32;
                    bits -= 32;
                }
            }

            for (; next < destination.Length; next++)
            {
                destination[next] = (byte)window;
                window >>= 8;
            }
        }
    }

    private static void UnpackBits<T>(ReadOnlySpan<byte> source, int widthBits, Span<T> fields)
        where T : unmanaged, IBinaryInteger<T>
    {
        unchecked
        {
            ulong mask = Mask(widthBits);
            ulong window = 0;
            int bits = 0;
            int next = 0;
            foreach (ref T field in fields)
            {
                if (bits < widthBits)
                {
                    if (next + sizeof(uint) <= source.Length)
                    {
                        window |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(source[next..]) << bits;
                        next += sizeof(uint);
                        bits += 32;
                    }
                    else
                    {
                        for (; next < source.Length; next++, bits += 8)
                        {
                            window |= (ulong)source[next] << bits;
                        }
                    }
                }

                field = T.CreateTruncating(window & mask);
                window >>= widthBits;
                bits -= widthBits;
            }
        }
    }
}
