namespace Federated.Training.Data;

/// <summary>
/// Scales an image so that each pixel is the mean of the area of the source that it covers, pixels of the border in proportion; along both sides independently,
/// so that proportions are not kept.
/// </summary>
internal static class AreaScaling
{
    /// <summary>Scales an image and lays its channels apart.</summary>
    /// <param name="source">[height, width, channels].</param>
    /// <param name="height">Rows of the source.</param>
    /// <param name="width">Columns of the source.</param>
    /// <param name="channels">Channels of both.</param>
    /// <param name="newHeight">Rows wanted.</param>
    /// <param name="newWidth">Columns wanted.</param>
    /// <returns>[channels, newHeight, newWidth], rounded to nearest.</returns>
    public static byte[] Scale(ReadOnlySpan<byte> source, int height, int width, int channels, int newHeight, int newWidth)
    {
        (int Start, float[] Weights)[] columns = Cover(width, newWidth);
        (int Start, float[] Weights)[] rows = Cover(height, newHeight);
        float[] narrow = new float[checked(height * newWidth * channels)];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<byte> line = source.Slice(y * width * channels, width * channels);
            for (int x = 0; x < newWidth; x++)
            {
                (int start, float[] weights) = columns[x];
                for (int c = 0; c < channels; c++)
                {
                    float sum = 0;
                    for (int k = 0; k < weights.Length; k++)
                    {
                        sum += weights[k] * line[((start + k) * channels) + c];
                    }

                    narrow[(((y * newWidth) + x) * channels) + c] = sum;
                }
            }
        }

        byte[] scaled = new byte[channels * newHeight * newWidth];
        for (int y = 0; y < newHeight; y++)
        {
            (int start, float[] weights) = rows[y];
            for (int x = 0; x < newWidth; x++)
            {
                for (int c = 0; c < channels; c++)
                {
                    float sum = 0;
                    for (int k = 0; k < weights.Length; k++)
                    {
                        sum += weights[k] * narrow[((((start + k) * newWidth) + x) * channels) + c];
                    }

                    scaled[(((c * newHeight) + y) * newWidth) + x] = (byte)Math.Clamp(sum + 0.5f, 0, byte.MaxValue);
                }
            }
        }

        return scaled;
    }

    /// <summary>For each of the new pixels of a side, the first old one that it covers and the shares of its area, which sum to 1.</summary>
    private static (int Start, float[] Weights)[] Cover(int length, int newLength)
    {
        (int, float[])[] covers = new (int, float[])[newLength];
        for (int i = 0; i < newLength; i++)
        {
            // In units of 1/newLength of an old pixel, so that all bounds are whole.
            long from = (long)i * length;
            long to = from + length;
            int start = (int)(from / newLength);
            float[] weights = new float[(int)((to + newLength - 1) / newLength) - start];
            for (int k = 0; k < weights.Length; k++)
            {
                long left = (long)(start + k) * newLength;
                weights[k] = (Math.Min(left + newLength, to) - Math.Max(left, from)) / (float)length;
            }

            covers[i] = (start, weights);
        }

        return covers;
    }
}
