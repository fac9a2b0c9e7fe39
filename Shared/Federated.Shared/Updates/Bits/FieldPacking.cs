using System.Buffers.Binary;

namespace Federated.Shared.Updates.Bits;

/// <summary>
/// Fields of 2 to 32 bits without gaps: field i occupies the bits i·b to i·b + b − 1, bit 0 being the lowest of the first byte. n fields
/// take ⌈n·b/8⌉ bytes; what the last byte has left over is zero. A field is an element of the ring of integers modulo 2^b; the upper bits
/// of its <c>uint</c> are ignored. Pure kernels; modular, hence unchecked.
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
    /// <param name="fields">[n].</param>
    /// <param name="widthBits">b, 2 to 32.</param>
    /// <param name="destination">Exactly <see cref="LengthBytes"/>.</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public static void Pack(ReadOnlySpan<uint> fields, int widthBits, Span<byte> destination)
    {
        DemandLength(fields.Length, widthBits, destination.Length);
        uint mask = Mask(widthBits);
        BitWriter writer = new(destination);
        foreach (uint field in fields)
        {
            writer.Write(field & mask, widthBits);
        }

        writer.Finish();
    }

    /// <summary>Reads the fields: [n], each below 2^b.</summary>
    /// <exception cref="ArgumentException">The source has another length than <see cref="LengthBytes"/>.</exception>
    public static void Unpack(ReadOnlySpan<byte> source, int widthBits, Span<uint> fields)
    {
        DemandLength(fields.Length, widthBits, source.Length);
        uint mask = Mask(widthBits);
        int direct = DirectCount(fields.Length, widthBits, source.Length);
        long bit = 0;
        for (int i = 0; i < direct; i++, bit += widthBits)
        {
            fields[i] = Direct(source, bit) & mask;
        }

        for (int i = direct; i < fields.Length; i++, bit += widthBits)
        {
            fields[i] = AtTheEnd(source, bit) & mask;
        }
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

    private static void DemandLength(int count, int widthBits, int bytes)
    {
        if (LengthBytes(count, widthBits) != bytes)
        {
            throw new ArgumentException($"{count} fields of {widthBits} bits take {LengthBytes(count, widthBits)} bytes, not {bytes}.", nameof(bytes));
        }
    }

    /// <summary>Fields behind whose first byte there are eight bytes to read.</summary>
    private static int DirectCount(int count, int widthBits, int bytes) =>
        bytes < sizeof(ulong) ? 0 : (int)Math.Min(count, (((bytes - sizeof(ulong)) * 8L) / widthBits) + 1);

    private static uint Direct(ReadOnlySpan<byte> source, long bit) =>
        unchecked((uint)(BinaryPrimitives.ReadUInt64LittleEndian(source[(int)(bit >> 3)..]) >> (int)(bit & 7)));

    private static uint AtTheEnd(ReadOnlySpan<byte> source, long bit)
    {
        Span<byte> last = stackalloc byte[sizeof(ulong)];
        last.Clear();
        ReadOnlySpan<byte> rest = source[(int)(bit >> 3)..];
        rest[..Math.Min(rest.Length, sizeof(ulong))].CopyTo(last);
        return Direct(last, bit & 7);
    }
}
