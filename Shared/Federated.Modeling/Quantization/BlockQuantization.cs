namespace Federated.Modeling.Quantization;

/// <summary>
/// Whole numbers with one scale for each block of neighbours: w ≈ scale · q, without a zero point. The element of a block that is farthest from zero gets
/// the lowest number, −2^(bits − 1), so that all numbers are in use whatever its sign.
/// </summary>
internal static class BlockQuantization
{
    /// <summary>Most elements that share a scale, unless a row has no fitting divisor.</summary>
    public const int MostInBlock = 32;

    private const int LeastInBlock = 16;

    /// <summary>Elements of a block in rows of so many: the largest divisor of 16 to 32, else the whole row.</summary>
    public static int BlockLength(int columns)
    {
        for (int length = MostInBlock; length >= LeastInBlock; length--)
        {
            if (columns % length == 0)
            {
                return length;
            }
        }

        return columns;
    }

    /// <summary>Quantizes a row-major matrix.</summary>
    /// <param name="weights">[n], finite, n a multiple of the block's length.</param>
    /// <param name="blockLength">Neighbours that share a scale.</param>
    /// <param name="bits">8 or 4.</param>
    /// <param name="numbers">[n] of −2^(bits − 1) to 2^(bits − 1) − 1.</param>
    /// <param name="scales">[n / <paramref name="blockLength"/>].</param>
    public static void Quantize(ReadOnlySpan<float> weights, int blockLength, int bits, Span<sbyte> numbers, Span<float> scales)
    {
        int lowest = -(1 << (bits - 1));
        for (int block = 0; block < scales.Length; block++)
        {
            ReadOnlySpan<float> values = weights.Slice(block * blockLength, blockLength);
            float farthest = 0;
            foreach (float value in values)
            {
                farthest = Math.Abs(value) > Math.Abs(farthest) ? value : farthest;
            }

            float scale = farthest / lowest;
            scales[block] = scale;
            Span<sbyte> found = numbers.Slice(block * blockLength, blockLength);
            for (int i = 0; i < blockLength; i++)
            {
                double number = scale == 0 ? 0 : Math.Round(values[i] / (double)scale, MidpointRounding.ToEven);
                found[i] = (sbyte)Math.Clamp(number, lowest, -lowest - 1);
            }
        }
    }

    /// <summary>The values that the numbers stand for: [n].</summary>
    public static float[] Dequantize(ReadOnlySpan<sbyte> numbers, ReadOnlySpan<float> scales)
    {
        float[] weights = new float[numbers.Length];
        int blockLength = numbers.Length / scales.Length;
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = numbers[i] * scales[i / blockLength];
        }

        return weights;
    }

    /// <summary>Two numbers of four bits a byte, the first in the lower half, as ONNX has them.</summary>
    public static byte[] Pack(ReadOnlySpan<sbyte> numbers)
    {
        byte[] packed = new byte[(numbers.Length + 1) / 2];
        for (int i = 0; i < numbers.Length; i++)
        {
            packed[i / 2] |= (byte)((numbers[i] & 0xF) << (i % 2 * 4));
        }

        return packed;
    }

    /// <summary>The numbers that <see cref="Pack"/> packed.</summary>
    public static sbyte[] Unpack(ReadOnlySpan<byte> packed, int count)
    {
        sbyte[] numbers = new sbyte[count];
        for (int i = 0; i < count; i++)
        {
            // The upper bit of four is the sign.
            int number = (packed[i / 2] >> (i % 2 * 4)) & 0xF;
            numbers[i] = (sbyte)((number ^ 8) - 8);
        }

        return numbers;
    }
}
