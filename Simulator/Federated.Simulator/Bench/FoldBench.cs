using System.Diagnostics;
using System.Runtime.InteropServices;
using Federated.Server.Aggregation;
using Federated.Shared.Randomness;

namespace Federated.Simulator.Bench;

/// <summary>How fast updates are added up, beside what the machine's memory allows.</summary>
/// <param name="Updates">Updates of 1 M parameters in one batch.</param>
/// <param name="FoldGigabytesPerSecond">float32 input a second, all of them; best of the repeats.</param>
/// <param name="FoldMedianGigabytesPerSecond">The same, median.</param>
/// <param name="CheckGigabytesPerSecond">float32 input a second looked through for NaN, range and norm on one thread; best.</param>
/// <param name="CopyGigabytesPerSecond">Bytes copied a second between two arrays as large as the updates, 400 MB at most, one thread a processor; best.</param>
internal sealed record FoldRate(
    int Updates, double FoldGigabytesPerSecond, double FoldMedianGigabytesPerSecond, double CheckGigabytesPerSecond, double CopyGigabytesPerSecond);

/// <summary>Measures <see cref="RunningSum"/> in this process.</summary>
internal static class FoldBench
{
    private const int Parameters = 1_000_000;
    private const int Repeats = 15;

    // 400 MB: no cache holds so many, and more would only take memory.
    private const int MostPayloads = 100;

    /// <summary>Folds the same updates again and again.</summary>
    /// <param name="updates">How many, at least 1; beyond a hundred their values repeat.</param>
    public static FoldRate Measure(int updates)
    {
        byte[][] payloads = [.. Enumerable.Range(0, Math.Min(updates, MostPayloads)).Select(Payload)];
        PendingUpdate[] batch = [.. Enumerable.Range(0, updates).Select(i => new PendingUpdate(payloads[i % payloads.Length], 1 + i, 1f))];
        const double UpdateBytes = (double)Parameters * sizeof(float);

        RunningSum sum = new(Parameters);
        double[] fold = Rates(updates * UpdateBytes, () => sum.Fold(batch));
        double[] check = Rates(payloads.Length * UpdateBytes, () =>
        {
            foreach (byte[] payload in payloads)
            {
                _ = RunningSum.Check(MemoryMarshal.Cast<byte, float>(payload), 1);
            }
        });
        return new FoldRate(updates, fold[^1], fold[fold.Length / 2], check[^1], Copy(payloads.Length * (int)UpdateBytes));
    }

    private static double Copy(int bytes)
    {
        byte[] source = new byte[bytes];
        byte[] target = new byte[bytes];
        source.AsSpan().Fill(1);
        int threads = Environment.ProcessorCount;
        int part = bytes / threads;
        return Rates((double)part * threads, () => Parallel.For(
            0, threads, i => source.AsSpan(i * part, part).CopyTo(target.AsSpan(i * part, part))))[^1];
    }

    private static byte[] Payload(int index)
    {
        SeededGenerator random = SeededGenerator.For(1, "fold-bench", (ulong)index);
        byte[] payload = new byte[Parameters * sizeof(float)];
        foreach (ref float value in MemoryMarshal.Cast<byte, float>(payload.AsSpan()))
        {
            value = (float)((2 * random.NextDouble()) - 1);
        }

        return payload;
    }

    /// <summary>Gigabytes a second of each repeat, ascending; the first run is not counted.</summary>
    private static double[] Rates(double bytes, Action work)
    {
        work();
        double[] rates = new double[Repeats];
        for (int i = 0; i < Repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            rates[i] = bytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
        }

        Array.Sort(rates);
        return rates;
    }
}
