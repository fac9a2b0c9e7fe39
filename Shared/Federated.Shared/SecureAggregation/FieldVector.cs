using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Federated.Shared.Updates.Bits;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// A vector of integers modulo 2^b, b = 2…32, in memory: each field in a lane of 1, 2 or 4 bytes, little-endian, the least that holds b
/// bits. Lanes add modulo 2^8, 2^16 or 2^32, which agrees with addition modulo 2^b in the low b bits; the bits above are dropped when a
/// field is read or packed. Not thread-safe.
/// </summary>
public sealed class FieldVector
{
    /// <summary>Least width of a field.</summary>
    public const int MinWidthBits = 2;

    /// <summary>Greatest width of a field.</summary>
    public const int MaxWidthBits = 32;

    private readonly byte[] _lanes;

    /// <summary>A vector of zeros: [length].</summary>
    /// <exception cref="ArgumentOutOfRangeException">The width is not 2 to 32 or the length is negative.</exception>
    public FieldVector(int length, int widthBits)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfLessThan(widthBits, MinWidthBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(widthBits, MaxWidthBits);
        Length = length;
        WidthBits = widthBits;
        _lanes = new byte[length * LaneBytes];
    }

    /// <summary>Fields.</summary>
    public int Length { get; }

    /// <summary>b.</summary>
    public int WidthBits { get; }

    /// <summary>Bytes a field takes in memory and in the mask stream: 1, 2 or 4.</summary>
    public int LaneBytes => WidthBits switch { <= 8 => 1, <= 16 => 2, _ => 4 };

    /// <summary>Bytes that all fields take packed: ⌈length · b / 8⌉.</summary>
    public int PackedBytes => PackedLengthBytes(Length, WidthBits);

    /// <summary>Bytes that so many fields take packed.</summary>
    public static int PackedLengthBytes(int length, int widthBits) => checked((int)FieldPacking.LengthBytes(length, widthBits));

    /// <summary>A field, 0 to 2^b − 1.</summary>
    public uint this[int index]
    {
        get => FieldMask & LaneBytes switch
        {
            1 => _lanes[index],
            2 => MemoryMarshal.Cast<byte, ushort>(_lanes.AsSpan())[index],
            _ => MemoryMarshal.Cast<byte, uint>(_lanes.AsSpan())[index],
        };
        set
        {
            unchecked
            {
                switch (LaneBytes)
                {
                    case 1:
                        _lanes[index] = (byte)value;
                        break;
                    case 2:
                        MemoryMarshal.Cast<byte, ushort>(_lanes.AsSpan())[index] = (ushort)value;
                        break;
                    default:
                        MemoryMarshal.Cast<byte, uint>(_lanes.AsSpan())[index] = value;
                        break;
                }
            }
        }
    }

    /// <summary>The lanes' memory.</summary>
    internal byte[] Lanes => _lanes;

    /// <summary>2^b − 1.</summary>
    private uint FieldMask => uint.MaxValue >> (32 - WidthBits);

    /// <summary>Copies fields, of which only the low b bits count.</summary>
    public static FieldVector Of(ReadOnlySpan<uint> fields, int widthBits)
    {
        FieldVector vector = new(fields.Length, widthBits);
        switch (vector.LaneBytes)
        {
            case 1:
                TensorPrimitives.ConvertTruncating(fields, vector._lanes.AsSpan());
                break;
            case 2:
                TensorPrimitives.ConvertTruncating(fields, MemoryMarshal.Cast<byte, ushort>(vector._lanes.AsSpan()));
                break;
            default:
                MemoryMarshal.AsBytes(fields).CopyTo(vector._lanes);
                break;
        }

        return vector;
    }

    /// <summary>Reads packed fields.</summary>
    /// <exception cref="ArgumentException">The length is not that of so many fields, or padding bits are set.</exception>
    public static FieldVector Unpack(ReadOnlySpan<byte> packed, int length, int widthBits)
    {
        FieldVector vector = new(length, widthBits);
        switch (vector.LaneBytes)
        {
            case 1:
                FieldPacking.Unpack<byte>(packed, widthBits, vector._lanes);
                break;
            case 2:
                FieldPacking.Unpack(packed, widthBits, MemoryMarshal.Cast<byte, ushort>(vector._lanes.AsSpan()));
                break;
            default:
                FieldPacking.Unpack(packed, widthBits, MemoryMarshal.Cast<byte, uint>(vector._lanes.AsSpan()));
                break;
        }

        return FieldPacking.EndsClean(packed, length, widthBits)
            ? vector
            : throw new ArgumentException($"The bits after the last of {length} fields of {widthBits} bits are not zero.", nameof(packed));
    }

    /// <summary>Writes the fields packed: [<see cref="PackedBytes"/>].</summary>
    /// <exception cref="ArgumentException">There is room for another length.</exception>
    public void Pack(Span<byte> packed)
    {
        switch (LaneBytes)
        {
            case 1:
                FieldPacking.Pack<byte>(_lanes, WidthBits, packed);
                break;
            case 2:
                FieldPacking.Pack<ushort>(MemoryMarshal.Cast<byte, ushort>(_lanes.AsSpan()), WidthBits, packed);
                break;
            default:
                FieldPacking.Pack<uint>(MemoryMarshal.Cast<byte, uint>(_lanes.AsSpan()), WidthBits, packed);
                break;
        }
    }

    /// <summary>Adds another vector of the same shape, modulo 2^b.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void Add(FieldVector other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Length != Length || other.WidthBits != WidthBits)
        {
            throw new ArgumentException(
                $"A vector of {other.Length} fields of {other.WidthBits} bits cannot be added to one of {Length} fields of {WidthBits} bits.", nameof(other));
        }

        LaneArithmetic.Add(_lanes, other._lanes, LaneBytes);
    }

    /// <summary>Adds packed fields of the same shape, modulo 2^b.</summary>
    /// <exception cref="ArgumentException">
    /// The length is not that of so many fields, or padding bits are set; nothing was added.
    /// </exception>
    public void AddPacked(ReadOnlySpan<byte> packed)
    {
        // Whole lanes are on the wire as they are in memory.
        if (WidthBits == 8 * LaneBytes && packed.Length == _lanes.Length)
        {
            LaneArithmetic.Add(_lanes, packed, LaneBytes);
            return;
        }

        Add(Unpack(packed, Length, WidthBits));
    }

    /// <summary>
    /// The first of the fields [from, to) that, taken modulo 2^b, is no integer from <paramref name="min"/> to <paramref name="max"/>; null
    /// when there is none.
    /// </summary>
    public int? FirstOutside(int from, int to, long min, long max)
    {
        unchecked
        {
            // Modulo 2^b, v is in [min, max] when v − min is at most max − min.
            uint low = (uint)min;
            ulong span = (ulong)(max - min);
            if (span >= FieldMask)
            {
                return null;
            }

            return LaneBytes switch
            {
                1 => FirstOutside<byte>(_lanes, from, to, low, (uint)span, FieldMask),
                2 => FirstOutside(MemoryMarshal.Cast<byte, ushort>(_lanes.AsSpan()), from, to, low, (uint)span, FieldMask),
                _ => FirstOutside(MemoryMarshal.Cast<byte, uint>(_lanes.AsSpan()), from, to, low, (uint)span, FieldMask),
            };
        }
    }

    /// <summary>Overwrites every field with zero.</summary>
    public void Clear() => CryptographicOperations.ZeroMemory(_lanes);

    private static int? FirstOutside<T>(ReadOnlySpan<T> lanes, int from, int to, uint low, uint span, uint mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        unchecked
        {
            for (int i = from; i < to; i++)
            {
                if (((uint.CreateTruncating(lanes[i]) - low) & mask) > span)
                {
                    return i;
                }
            }
        }

        return null;
    }
}
