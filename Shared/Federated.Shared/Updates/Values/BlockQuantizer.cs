using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Bits;

namespace Federated.Shared.Updates.Values;

/// <summary>
/// Values in blocks of 256 as integers of 8, 4 or 2 bits times a scale of the block: −L to L with L = 2^(bits − 1) − 1, the scale being the
/// block's largest magnitude over L, rounded up to 8 significant bits. A block is the scale (2 bytes), then its integers, packed in two's
/// complement. QSGD (arXiv 1610.02132, section 3) with the largest magnitude in place of the norm.
/// <para>
/// Two roundings. Stochastic: q = ⌊v/s⌋, plus 1 with the probability of the fraction; unbiased, for updates without residual. Nearest: the
/// lesser error, for updates with residual; v − q·s and (v − q·s) + q·s are then exact in float32 (Sterbenz's lemma: q·s is 0, or v lies
/// between half of it and twice of it).
/// </para>
/// </summary>
public static class BlockQuantizer
{
    /// <summary>Values of a block; the last one may have fewer.</summary>
    public const int BlockLength = 256;

    private const int ScaleBytes = sizeof(ushort);

    /// <summary>Bytes of so many values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The width is not 2, 4 or 8.</exception>
    public static long LengthBytes(int count, int widthBits)
    {
        DemandWidth(widthBits);
        long blocks = ((long)count + BlockLength - 1) / BlockLength;
        return (blocks * ScaleBytes) + FieldPacking.LengthBytes(count, widthBits);
    }

    /// <summary>Rounds to the nearest level, ties to the even one.</summary>
    /// <param name="values">[n], finite, magnitudes at most 2^100.</param>
    /// <param name="widthBits">2, 4 or 8.</param>
    /// <param name="destination">Exactly <see cref="LengthBytes"/>.</param>
    /// <param name="transmitted">What the reader will see: [n]; may be <paramref name="values"/>.</param>
    /// <exception cref="ArgumentException">A value or a length is impossible.</exception>
    public static void EncodeNearest(ReadOnlySpan<float> values, int widthBits, Span<byte> destination, Span<float> transmitted) =>
        Encode(values, widthBits, null, destination, transmitted);

    /// <summary>Rounds down or up at random so that the expectation is the value, up to 2^-17 of a step.</summary>
    /// <param name="values">[n], finite, magnitudes at most 2^100.</param>
    /// <param name="widthBits">2, 4 or 8.</param>
    /// <param name="dither">Not shared with anything else.</param>
    /// <param name="destination">Exactly <see cref="LengthBytes"/>.</param>
    /// <param name="transmitted">What the reader will see: [n]; may be <paramref name="values"/>.</param>
    /// <exception cref="ArgumentException">A value or a length is impossible.</exception>
    public static void EncodeStochastic(
        ReadOnlySpan<float> values, int widthBits, LaneGenerator dither, Span<byte> destination, Span<float> transmitted)
    {
        ArgumentNullException.ThrowIfNull(dither);
        Encode(values, widthBits, dither, destination, transmitted);
    }

    /// <summary>Decodes the values from <paramref name="first"/> on.</summary>
    /// <param name="source">All of the encoded values; its length was compared with <see cref="LengthBytes"/>.</param>
    /// <param name="widthBits">2, 4 or 8.</param>
    /// <param name="first">A multiple of <see cref="BlockLength"/>.</param>
    /// <param name="values">At most one block, and not beyond the last value.</param>
    /// <exception cref="ProtocolViolationException">The block is not one that an encoder writes.</exception>
    internal static void DecodeBlock(ReadOnlySpan<byte> source, int widthBits, int first, Span<float> values)
    {
        ReadOnlySpan<byte> block = source[(int)LengthBytes(first, widthBits)..];
        ushort code = BinaryPrimitives.ReadUInt16LittleEndian(block);
        ReadOnlySpan<byte> packed = block.Slice(ScaleBytes, (int)FieldPacking.LengthBytes(values.Length, widthBits));
        if (!ScaleCode.IsScale(code) || !FieldPacking.EndsClean(packed, values.Length, widthBits))
        {
            throw DocumentReading.Malformed("block of values", $"its scale {ScaleCode.Decode(code)} is impossible, or bits are set after its end");
        }

        Span<uint> fields = stackalloc uint[BlockLength];
        fields = fields[..values.Length];
        FieldPacking.Unpack(packed, widthBits, fields);
        Widen(fields, widthBits, ScaleCode.Decode(code), values);
    }

    private static void Encode(ReadOnlySpan<float> values, int widthBits, LaneGenerator? dither, Span<byte> destination, Span<float> transmitted)
    {
        if (destination.Length != LengthBytes(values.Length, widthBits) || transmitted.Length != values.Length)
        {
            throw new ArgumentException(
                $"{values.Length} values of {widthBits} bits take {LengthBytes(values.Length, widthBits)} bytes and as many transmitted values, not {destination.Length} and {transmitted.Length}.",
                nameof(destination));
        }

        Span<uint> fields = stackalloc uint[BlockLength];
        int levels = (1 << (widthBits - 1)) - 1;
        for (int first = 0; first < values.Length; first += BlockLength)
        {
            int length = Math.Min(BlockLength, values.Length - first);
            ReadOnlySpan<float> block = values.Slice(first, length);
            float largest = MathF.Abs(TensorPrimitives.MaxMagnitude(block));
            ScaleCode.Demand(largest);
            ushort code = ScaleCode.RoundUp(largest / levels);
            float scale = ScaleCode.Decode(code);
            if (dither is null)
            {
                Nearest(block, scale, fields);
            }
            else
            {
                Stochastic(block, scale, dither, fields);
            }

            int bytes = (int)FieldPacking.LengthBytes(length, widthBits);
            BinaryPrimitives.WriteUInt16LittleEndian(destination, code);
            FieldPacking.Pack(fields[..length], widthBits, destination.Slice(ScaleBytes, bytes));
            destination = destination[(ScaleBytes + bytes)..];
            Widen(fields[..length], 32, scale, transmitted.Slice(first, length));
        }
    }

    private static void Nearest(ReadOnlySpan<float> block, float scale, Span<uint> fields)
    {
        // A block of zeros has scale 0: divide by 1.
        float divisor = scale == 0 ? 1 : scale;
        ref float first = ref MemoryMarshal.GetReference(block);
        int i = 0;
        for (; i <= block.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<float> ratio = Vector256.LoadUnsafe(ref first, (nuint)i) / divisor;
            Vector256.ConvertToInt32(Vector256.Round(ratio)).AsUInt32().CopyTo(fields[i..]);
        }

        for (; i < block.Length; i++)
        {
            fields[i] = unchecked((uint)(int)MathF.Round(block[i] / divisor));
        }
    }

    private static void Stochastic(ReadOnlySpan<float> block, float scale, LaneGenerator dither, Span<uint> fields)
    {
        float divisor = scale == 0 ? 1 : scale;
        for (int i = 0; i < block.Length; i += LaneGenerator.Lanes)
        {
            Vector256<float> ratio = Load(block[i..]) / divisor;
            Vector256<float> floor = Vector256.Floor(ratio);
            Vector256<int> up = Vector256.LessThan(dither.NextUnit(), ratio - floor).AsInt32();
            (Vector256.ConvertToInt32(floor) - up).AsUInt32().CopyTo(fields[i..]);
        }
    }

    /// <summary>The next eight values, or those that are left and zeros.</summary>
    private static Vector256<float> Load(ReadOnlySpan<float> values)
    {
        if (values.Length >= Vector256<float>.Count)
        {
            return Vector256.Create<float>(values);
        }

        Span<float> lanes = stackalloc float[Vector256<float>.Count];
        lanes.Clear();
        values.CopyTo(lanes);
        return Vector256.Create<float>(lanes);
    }

    /// <summary>Sign-extends fields and multiplies by the scale; exact, see <see cref="ScaleCode"/>.</summary>
    private static void Widen(ReadOnlySpan<uint> fields, int widthBits, float scale, Span<float> values)
    {
        int unused = 32 - widthBits;
        ref uint first = ref MemoryMarshal.GetReference(fields);
        int i = 0;
        for (; i <= fields.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            Vector256<int> signed = (Vector256.LoadUnsafe(ref first, (nuint)i).AsInt32() << unused) >> unused;
            (Vector256.ConvertToSingle(signed) * scale).CopyTo(values[i..]);
        }

        for (; i < fields.Length; i++)
        {
            values[i] = (unchecked((int)fields[i]) << unused >> unused) * scale;
        }
    }

    private static void DemandWidth(int widthBits)
    {
        if (widthBits is not (2 or 4 or 8))
        {
            throw new ArgumentOutOfRangeException(nameof(widthBits), widthBits, "Blocks have 2, 4 or 8 bits a value.");
        }
    }
}
