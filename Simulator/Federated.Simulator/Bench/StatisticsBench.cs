using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Server.Api;
using Federated.Server.Events;
using Federated.Server.Jobs;
using Federated.Shared.Randomness;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Population;
using Federated.Simulator.Reports;
using Spectre.Console;

namespace Federated.Simulator.Bench;

/// <summary>What statistics cost the server in one setting.</summary>
/// <param name="Setting">Off, on, or on and watched: by readers of events, or by pages of the dashboard.</param>
/// <param name="Rounds">Rounds in the time measured.</param>
/// <param name="Seconds">The time measured.</param>
/// <param name="CpuShare">Processor time of the server over it: 1 is one core.</param>
/// <param name="EventsRead">Events that all readers read.</param>
/// <param name="Pages">Pages of the dashboard that were open and drawn at the end.</param>
internal sealed record StatisticsCost(string Setting, int Rounds, double Seconds, double CpuShare, long EventsRead, int Pages);

/// <summary>
/// <c>bench statistics</c>: the processor time of a server with timelines, events and metrics and without, while many devices take part at the pace of a fleet. Devices pause between
/// rounds, as devices do, so that every setting runs about the same number of rounds in the same time.
/// </summary>
internal static class StatisticsBench
{
    private const int Links = 4;
    private const int Parameters = 1000;

    private static readonly TimeSpan _warmUp = TimeSpan.FromSeconds(15);

    /// <summary>Builds the verb.</summary>
    public static Command Build()
    {
        Option<int> devices = new("--devices") { Description = "Devices, all in every round.", DefaultValueFactory = _ => 1000 };
        Option<int> viewers = new("--viewers") { Description = "Readers of the stream of events.", DefaultValueFactory = _ => 10 };
        Option<int> pages = new("--pages") { Description = "Pages of the dashboard open in Chromium, half of them the fleet's and half the job's; without Chromium they are left out.", DefaultValueFactory = _ => 10 };
        Option<double> pause = new("--pause") { Description = "Longest pause of a device between two rounds, seconds; it draws one from 0 up to that.", DefaultValueFactory = _ => 4 };
        Option<double> seconds = new("--seconds") { Description = "Time measured in each setting, after a warm-up of 15 s.", DefaultValueFactory = _ => 60 };
        Option<int> repeats = new("--repeats") { Description = "Times that every setting is measured, in turn; the medians are printed.", DefaultValueFactory = _ => 1 };
        NumberParsing.Limit(devices, 1, 100_000);
        NumberParsing.Limit(viewers, 0, 1000);
        NumberParsing.Limit(pages, 0, 1000);
        NumberParsing.Limit(pause, 0, 3600);
        NumberParsing.Limit(seconds, 1, 86_400);
        NumberParsing.Limit(repeats, 1, 100);
        Option<bool> json = new("--json") { Description = "Print JSON and nothing else." };
        Command command = new("statistics", "Measure what statistics cost the server, with viewers and without.") { devices, viewers, pages, pause, seconds, repeats, json };
        command.SetAction(async (parsed, ct) =>
        {
            Load load = new(parsed.GetValue(devices), TimeSpan.FromSeconds(parsed.GetValue(pause)), TimeSpan.FromSeconds(parsed.GetValue(seconds)));
            List<Setting> settings = [new("off", 0, 0, ["--without-statistics"]), new("on", 0, 0, []), new("on, events read", parsed.GetValue(viewers), 0, [])];
            if (parsed.GetValue(pages) > 0 && DashboardViewers.Browser is not null)
            {
                settings.Add(new Setting("on, pages open", 0, parsed.GetValue(pages), []));
            }
            else if (parsed.GetValue(pages) > 0)
            {
                await Console.Error.WriteLineAsync("There is no Chromium, so nothing is measured with pages open. Install it, or name a browser in FEDERATED_CHROMIUM.");
            }

            List<StatisticsCost> costs = [];
            for (int repeat = 0; repeat < parsed.GetValue(repeats); repeat++)
            {
                foreach (Setting setting in settings)
                {
                    costs.Add(await MeasureAsync(setting, load, ct));
                }
            }

            Print([.. settings.Select(setting => Median([.. costs.Where(cost => cost.Setting == setting.Name)]))], parsed.GetValue(json));
            return 0;
        });
        return command;
    }

    // The middle one by processor time; of an even number the higher of the two.
    private static StatisticsCost Median(List<StatisticsCost> costs) => costs.OrderBy(cost => cost.CpuShare).ElementAt(costs.Count / 2);

    private static async Task<StatisticsCost> MeasureAsync(Setting setting, Load load, CancellationToken ct)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(ct, setting.ServerOptions);
        using ServerApiClient api = new(server.ApiAddress);
        JobStatus job = await api.SubmitJobAsync(BenchLoad.Unchanged(Parameters, load.Devices).JobJson, ct);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using ModelCache models = new(new ModelCacheOptions { TrainingThreads = Environment.ProcessorCount });
        GrpcServerLink[] links = [.. Enumerable.Range(0, Links).Select(_ => GrpcServerLink.Connect(server.GrpcAddress, new GrpcLinkOptions()))];
        SessionOptions options = new() { Buffers = CohortBuffers.For(load.Devices) };
        Task fleet = Task.WhenAll(Enumerable.Range(0, load.Devices).Select(i => RunDeviceAsync(i, load, links[i % Links], models, options, stop.Token)));
        Task<long>[] watching = [.. Enumerable.Range(0, setting.Viewers).Select(_ => WatchAsync(server.ApiAddress, stop.Token))];
        StatisticsCost cost;
        DashboardViewers? open = null;
        try
        {
            open = setting.Pages == 0 ? null : await DashboardViewers.OpenAsync(
                [.. Enumerable.Range(0, setting.Pages).Select(i => new Uri(server.ApiAddress, i % 2 == 0 ? "/" : $"/jobs/{job.JobId}"))], ct);
            await Task.Delay(_warmUp, TimeProvider.System, ct);
            (TimeSpan cpu, long round, long began) = (server.CpuTime, (await api.GetJobAsync(job.JobId, ct)).Round, TimeProvider.System.GetTimestamp());
            await Task.Delay(load.Time, TimeProvider.System, ct);
            double seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
            cost = new StatisticsCost(
                setting.Name, (int)((await api.GetJobAsync(job.JobId, ct)).Round - round), seconds, (server.CpuTime - cpu).TotalSeconds / seconds, 0, open is null ? 0 : await open.CountAsync(ct));
        }
        finally
        {
            if (open is not null)
            {
                await open.DisposeAsync();
            }

            await stop.CancelAsync();
            await fleet;
            foreach (GrpcServerLink link in links)
            {
                await link.DisposeAsync();
            }
        }

        return cost with { EventsRead = (await Task.WhenAll(watching)).Sum() };
    }

    private static async Task<long> WatchAsync(Uri address, CancellationToken ct)
    {
        using ServerApiClient api = new(address);
        long read = 0;
        try
        {
            await foreach (ServerEvent happened in await api.EventsAsync(null, null, ct))
            {
                read++;
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The measurement is over.
        }

        return read;
    }

    private static async Task RunDeviceAsync(int index, Load load, GrpcServerLink link, ModelCache models, SessionOptions options, CancellationToken ct)
    {
        ClientIdentity identity = new($"device-{index:D4}", "bench", ImmutableDictionary<string, string>.Empty);
        BenchLoad held = BenchLoad.Unchanged(Parameters, load.Devices);
        ClientSession session = new(identity, link, models, held.Examples(index), options, TimeProvider.System);
        SeededGenerator pauses = SeededGenerator.For(1, "pause", 0, identity.DeviceId);
        try
        {
            while (!ct.IsCancellationRequested)
            {
                await Task.Delay(pauses.NextDouble() * load.Pause, TimeProvider.System, ct);
                await session.RunOnceAsync(ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The measurement is over.
        }
    }

    private static void Print(List<StatisticsCost> costs, bool json)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(costs, ReportJson.Indented));
            return;
        }

        Table table = new Table().Border(TableBorder.Rounded).AddColumns("statistics", "rounds", "seconds", "server, % of a core", "more than off, % of a core", "server, s a round", "events read", "pages open");
        foreach (StatisticsCost cost in costs)
        {
            table.AddRow(
                cost.Setting,
                $"{cost.Rounds}",
                $"{cost.Seconds:F1}",
                $"{100 * cost.CpuShare:F1}",
                $"{100 * (cost.CpuShare - costs[0].CpuShare):F1}",
                cost.Rounds > 0 ? $"{cost.CpuShare * cost.Seconds / cost.Rounds:F2}" : "–",
                $"{cost.EventsRead:N0}",
                $"{cost.Pages}");
        }

        AnsiConsole.Write(table);
    }

    private sealed record Setting(string Name, int Viewers, int Pages, string[] ServerOptions);

    private sealed record Load(int Devices, TimeSpan Pause, TimeSpan Time);
}
