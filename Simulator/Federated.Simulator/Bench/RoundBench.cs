using System.Collections.Immutable;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Simulator.Population;

namespace Federated.Simulator.Bench;

/// <summary>
/// Measures rounds over gRPC on the loopback interface. The server runs in a process of its own, with durability on; the clients share
/// this one.
/// </summary>
internal static class RoundBench
{
    /// <summary>Rounds at the least that are not counted: just-in-time compilation, first downloads, empty pools.</summary>
    private const int WarmUpRounds = 10;

    /// <summary>And for at least this long: until then the runtime still compiles what has turned out to be hot.</summary>
    private static readonly TimeSpan _warmUp = TimeSpan.FromSeconds(10);

    private const int Links = 4;

    /// <summary>Warms up, then runs <paramref name="rounds"/> rounds of a load; the load's job must have rounds to spare.</summary>
    public static async Task<RoundCost> MeasureAsync(BenchLoad load, int rounds, CancellationToken ct)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(ct);
        using ServerApiClient api = new(server.ApiAddress);
        JobStatus job = await api.SubmitJobAsync(load.JobJson, ct);

        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using ModelCache models = new(new ModelCacheOptions { TrainingThreads = Environment.ProcessorCount });
        GrpcServerLink[] links = [.. Enumerable.Range(0, Links).Select(_ => GrpcServerLink.Connect(server.GrpcAddress, new GrpcLinkOptions()))];
        SessionOptions options = new() { Buffers = CohortBuffers.For(load.Clients) };
        Task fleet = Task.WhenAll(Enumerable.Range(0, load.Clients).Select(i => RunClientAsync(i, load, links[i % Links], models, options, stop.Token)));
        try
        {
            return await CollectAsync(server, api, job, load, rounds, ct);
        }
        finally
        {
            await stop.CancelAsync();
            await fleet;
            foreach (GrpcServerLink link in links)
            {
                await link.DisposeAsync();
            }
        }
    }

    private static async Task<RoundCost> CollectAsync(
        ServerProcess server, ServerApiClient api, JobStatus job, BenchLoad load, int rounds, CancellationToken ct)
    {
        List<RoundRecord> records = [];
        TimeSpan cpuBefore = TimeSpan.Zero;
        int before = int.MaxValue;
        long started = TimeProvider.System.GetTimestamp();
        while (records.Count - rounds < before)
        {
            records.AddRange(await api.RoundsAsync(job.JobId, records.Count, TimeSpan.FromSeconds(20), ct));
            if (before == int.MaxValue && records.Count >= WarmUpRounds && TimeProvider.System.GetElapsedTime(started) >= _warmUp)
            {
                (cpuBefore, before) = (server.CpuTime, records.Count);
            }
        }

        TimeSpan cpu = server.CpuTime - cpuBefore;
        RoundRecord[] measured = [.. records.Skip(before)];
        DateTimeOffset end = measured[^1].Timing.StartedAt + TimeSpan.FromSeconds(measured[^1].Timing.TotalSeconds);
        return new RoundCost(
            job.DenseAdapterBytes,
            load.Clients,
            rounds,
            Median(measured.Select(round => round.Timing.TotalSeconds)),
            measured.Sum(round => round.Accepted) / (end - measured[0].Timing.StartedAt).TotalSeconds,
            cpu.TotalSeconds / (records.Count - before),
            server.PeakMemoryBytes,
            Median(measured.Select(round => (double)round.Timing.DurableWrites)));
    }

    private static async Task RunClientAsync(int index, BenchLoad load, GrpcServerLink link, ModelCache models, SessionOptions options, CancellationToken ct)
    {
        ClientIdentity identity = new($"device-{index:D4}", "bench", ImmutableDictionary<string, string>.Empty);
        ClientSession session = new(identity, link, models, load.Examples(index), options, TimeProvider.System);
        try
        {
            while (!ct.IsCancellationRequested)
            {
                await session.RunOnceAsync(ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The measurement is over.
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
