using System.Diagnostics;
using System.Runtime.InteropServices;
using Federated.Server.Aggregation;
using Federated.Shared.Randomness;

namespace Federated.Simulator.Bench;

/// <summary>How fast updates are added up, beside what the machine's memory allows.</summary>
/// <param name="FoldGigabytesPerSecond">float32 input a second, 100 updates of 1 M parameters in one batch; best of the repeats.</param>
/// <param name="FoldMedianGigabytesPerSecond">The same, median.</param>
/// <param name="CheckGigabytesPerSecond">float32 input a second looked through for NaN, range and norm on one thread; best.</param>
/// <param name="CopyGigabytesPerSecond">Bytes copied a second between two arrays of 400 MB, one thread a processor; best.</param>
internal sealed record FoldRate(
    double FoldGigabytesPerSecond, double FoldMedianGigabytesPerSecond, double CheckGigabytesPerSecond, double CopyGigabytesPerSecond);

/// <summary>Measures <see cref="RunningSum"/> in this process.</summary>
internal static class FoldBench
{
    private const int Parameters = 1_000_000;
    private const int Updates = 100;
    private const int Repeats = 15;

    /// <summary>Folds the same hundred updates again and again.</summary>
    public static FoldRate Measure()
    {
        byte[][] payloads = [.. Enumerable.Range(0, Updates).Select(Payload)];
        PendingUpdate[] batch = [.. payloads.Select((payload, i) => new PendingUpdate(payload, 1 + i, 1f))];
        const double Bytes = (double)Updates * Parameters * sizeof(float);

        RunningSum sum = new(Parameters);
        double[] fold = Rates(Bytes, () => sum.Fold(batch));
        double[] check = Rates(Bytes, () =>
        {
            foreach (byte[] payload in payloads)
            {
                _ = RunningSum.Check(MemoryMarshal.Cast<byte, float>(payload), 1);
            }
        });
        return new FoldRate(fold[^1], fold[fold.Length / 2], check[^1], Copy((int)Bytes));
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
