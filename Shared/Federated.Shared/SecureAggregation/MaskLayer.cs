using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Lays masks over a vector. Each field takes the next lane of the key's stream: the low b bits of 8, 16 or 32 uniform ones, hence
/// uniform modulo 2^b. The vector is walked in chunks that stay in the cache, all masks over one chunk before the next, so that the cost
/// is that of the cipher and not of memory; threads take disjoint ranges of chunks. Nothing is allocated per chunk.
/// </summary>
public static class MaskLayer
{
    /// <summary>
    /// Bytes of lanes a step. Measured on one core of an EPYC, the cipher alone reaches 6.4 GB/s in calls of 4 KiB, 7.5 of 16 KiB and 8.0
    /// of 64 KiB; the smaller the step, the nearer to the processor are lanes, stream and counters.
    /// </summary>
    private const int ChunkBytes = 16 * 1024;

    // Streams that are open at a time; each holds a key schedule.
    private const int BatchSize = 256;

    /// <summary>Adds or subtracts every mask, with at most <paramref name="threads"/> threads.</summary>
    public static void Apply(FieldVector vector, IReadOnlyList<MaskKey> masks, int threads)
    {
        int chunks = (vector.Lanes.Length + ChunkBytes - 1) / ChunkBytes;
        int workers = Math.Min(threads, chunks);
        if (workers <= 1)
        {
            ApplyRange(vector, masks, 0, chunks);
            return;
        }

        Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, worker =>
            ApplyRange(vector, masks, (int)((long)chunks * worker / workers), (int)((long)chunks * (worker + 1) / workers)));
    }

    private static void ApplyRange(FieldVector vector, IReadOnlyList<MaskKey> masks, int firstChunk, int lastChunk)
    {
        CounterBlocks counters = new(ChunkBytes / CounterBlocks.BlockBytes);
        byte[] stream = new byte[ChunkBytes];
        CounterKeystream[] open = new CounterKeystream[Math.Min(BatchSize, masks.Count)];
        for (int first = 0; first < masks.Count; first += BatchSize)
        {
            int count = Math.Min(BatchSize, masks.Count - first);
            for (int i = 0; i < count; i++)
            {
                open[i] = new CounterKeystream(masks[first + i].Key);
            }

            for (int chunk = firstChunk; chunk < lastChunk; chunk++)
            {
                int start = chunk * ChunkBytes;
                Span<byte> lanes = vector.Lanes.AsSpan(start, Math.Min(ChunkBytes, vector.Lanes.Length - start));
                counters.Set((uint)(start / CounterBlocks.BlockBytes), (lanes.Length + CounterBlocks.BlockBytes - 1) / CounterBlocks.BlockBytes);
                for (int i = 0; i < count; i++)
                {
                    open[i].Generate(counters, stream);
                    if (masks[first + i].Subtract)
                    {
                        LaneArithmetic.Subtract(lanes, stream.AsSpan(0, lanes.Length), vector.LaneBytes);
                    }
                    else
                    {
                        LaneArithmetic.Add(lanes, stream.AsSpan(0, lanes.Length), vector.LaneBytes);
                    }
                }
            }

            for (int i = 0; i < count; i++)
            {
                open[i].Dispose();
            }
        }

        CryptographicOperations.ZeroMemory(stream);
    }
}
