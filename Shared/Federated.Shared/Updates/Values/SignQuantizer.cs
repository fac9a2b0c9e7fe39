using System.Buffers.Binary;
using Federated.Shared.Protocol;

namespace Federated.Shared.Updates.Values;

/// <summary>
/// Values as signs times one magnitude, their mean: the third value of STC's ternary vectors being the coordinates that are left out
/// (Sattler et al., arXiv 1903.02891, algorithm 1). 2 bytes of magnitude, then a bit a value, 1 for negative. Biased, for updates with
/// residual.
/// <para>
/// Deviation: the magnitude is rounded down to 8 significant bits and is at most twice the least magnitude among the values. Then v − μ and
/// (v − μ) + μ are exact in float32 as long as no value exceeds 2^15 times the magnitude. The residual takes up the difference.
/// </para>
/// </summary>
public static class SignQuantizer
{
    private const int ScaleBytes = sizeof(ushort);

    /// <summary>Bytes of so many values.</summary>
    public static long LengthBytes(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return ScaleBytes + (((long)count + 7) / 8);
    }

    /// <summary>Encodes values, of which none should be zero.</summary>
    /// <param name="values">[n], finite, magnitudes at most 2^100.</param>
    /// <param name="destination">Exactly <see cref="LengthBytes"/>.</param>
    /// <param name="transmitted">What the reader will see: [n]; may be <paramref name="values"/>.</param>
    /// <exception cref="ArgumentException">A value or a length is impossible.</exception>
    public static void Encode(ReadOnlySpan<float> values, Span<byte> destination, Span<float> transmitted)
    {
        if (destination.Length != LengthBytes(values.Length) || transmitted.Length != values.Length)
        {
            throw new ArgumentException(
                $"{values.Length} values take {LengthBytes(values.Length)} bytes and as many transmitted values, not {destination.Length} and {transmitted.Length}.",
                nameof(destination));
        }

        ushort code = ScaleCode.RoundDown(Magnitude(values));
        float magnitude = ScaleCode.Decode(code);
        BinaryPrimitives.WriteUInt16LittleEndian(destination, code);
        Span<byte> signs = destination[ScaleBytes..];
        signs.Clear();
        for (int i = 0; i < values.Length; i++)
        {
            uint sign = BitConverter.SingleToUInt32Bits(values[i]) >> 31;
            signs[i >> 3] |= (byte)(sign << (i & 7));
            transmitted[i] = sign == 0 ? magnitude : -magnitude;
        }
    }

    /// <summary>Decodes the values from <paramref name="first"/> on.</summary>
    /// <param name="source">All of the encoded values; its length was compared with <see cref="LengthBytes"/>.</param>
    /// <param name="first">A multiple of 8.</param>
    /// <param name="values">Not beyond the last value.</param>
    /// <exception cref="ProtocolViolationException">The magnitude is impossible.</exception>
    internal static void Decode(ReadOnlySpan<byte> source, int first, Span<float> values)
    {
        ushort code = BinaryPrimitives.ReadUInt16LittleEndian(source);
        if (!ScaleCode.IsScale(code))
        {
            throw DocumentReading.Malformed("signs", $"their magnitude is {ScaleCode.Decode(code)}");
        }

        uint magnitude = BitConverter.SingleToUInt32Bits(ScaleCode.Decode(code));
        ReadOnlySpan<byte> signs = source[(ScaleBytes + (first / 8))..];
        for (int i = 0; i < values.Length; i++)
        {
            uint sign = (uint)(signs[i >> 3] >> (i & 7)) & 1;
            values[i] = BitConverter.UInt32BitsToSingle(magnitude | (sign << 31));
        }
    }

    private static float Magnitude(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty)
        {
            return 0;
        }

        // In float64, so that the mean does not depend on how wide the processor sums.
        double sum = 0;
        float least = float.PositiveInfinity;
        foreach (float value in values)
        {
            float magnitude = MathF.Abs(value);
            sum += magnitude;
            least = MathF.Min(least, magnitude);
        }

        return MathF.Min((float)(sum / values.Length), 2 * least);
    }
}
