using System.Buffers.Binary;

namespace Federated.Training.Data;

/// <summary>Sound as it lies in a WAV file: RIFF chunks, of which <c>fmt </c> and <c>data</c> count (Multimedia Programming Interface and Data Specifications 1.0, IBM and Microsoft 1991).</summary>
internal static class WavFile
{
    private const ushort Pcm = 1;
    private const ushort Extensible = 0xfffe;
    private const int SubFormatOffset = 24;
    private const int ChunkHeader = 8;

    /// <summary>Reads a file of 16-bit PCM.</summary>
    /// <param name="content">The file.</param>
    /// <param name="rate">The sampling rate demanded, Hz.</param>
    /// <param name="samples">The mean of the channels, in [−1, 1).</param>
    /// <returns>What stood in the way; null when nothing did.</returns>
    public static FileProblem? Read(ReadOnlySpan<byte> content, int rate, out float[] samples)
    {
        samples = [];
        if (content.Length < 12 || !content.StartsWith("RIFF"u8) || !content[8..].StartsWith("WAVE"u8))
        {
            return FileProblem.Undecodable;
        }

        int channels = 0;
        ReadOnlySpan<byte> rest = content[12..];
        while (rest.Length >= ChunkHeader)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            if (length > rest.Length - ChunkHeader)
            {
                return FileProblem.Undecodable;
            }

            ReadOnlySpan<byte> chunk = rest.Slice(ChunkHeader, (int)length);
            if (rest.StartsWith("fmt "u8))
            {
                if (chunk.Length < 16)
                {
                    return FileProblem.Undecodable;
                }

                ushort tag = BinaryPrimitives.ReadUInt16LittleEndian(chunk);
                if (tag == Extensible && chunk.Length >= SubFormatOffset + sizeof(ushort))
                {
                    tag = BinaryPrimitives.ReadUInt16LittleEndian(chunk[SubFormatOffset..]);
                }

                channels = BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]);
                int bits = BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]);
                if (tag != Pcm || bits != 16 || BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]) != rate)
                {
                    return FileProblem.Unsuitable;
                }
            }
            else if (rest.StartsWith("data"u8))
            {
                if (channels == 0 || chunk.Length < channels * sizeof(short))
                {
                    return FileProblem.Undecodable;
                }

                samples = Mean(chunk, channels);
                return null;
            }

            // Chunks begin at even places.
            rest = rest[Math.Min(rest.Length, ChunkHeader + (int)length + ((int)length & 1))..];
        }

        return FileProblem.Undecodable;
    }

    private static float[] Mean(ReadOnlySpan<byte> pcm, int channels)
    {
        float[] samples = new float[pcm.Length / (channels * sizeof(short))];
        for (int i = 0; i < samples.Length; i++)
        {
            int sum = 0;
            for (int c = 0; c < channels; c++)
            {
                sum += BinaryPrimitives.ReadInt16LittleEndian(pcm[(((i * channels) + c) * sizeof(short))..]);
            }

            samples[i] = sum / (channels * 32768f);
        }

        return samples;
    }
}
