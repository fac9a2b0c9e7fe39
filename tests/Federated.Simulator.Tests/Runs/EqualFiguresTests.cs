using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Federated.Client.Engines;
using Federated.Server.Api;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Federated.Simulator.Runs;
using Federated.Testing;
using Microsoft.Extensions.Logging;

namespace Federated.Simulator.Tests.Runs;

/// <summary>A figure is the same wherever it is read: summary.json, API, export, command line, report.</summary>
public sealed class EqualFiguresTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Figures_OfARun_AreTheSameEverywhere()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        await using FederatedServer server = await FederatedServer.StartAsync(new ServerOptions
        {
            GrpcPort = 0,
            ApiPort = 0,
            Threads = 1,
            LogLevel = LogLevel.Critical,
            Storage = new StorageOptions { Kind = StorageKind.Files, Path = Path.Combine(folder.Path, "store") },
            Selection = new SelectionOptions { Pace = new PaceOptions { MinRetry = TimeSpan.FromMilliseconds(10), MaxRetry = TimeSpan.FromMilliseconds(100) } },
        }, Ct);
        RunRequest request = new()
        {
            Scenario = SmallDigits.Scenario(folder.Path),
            Folder = RunFolder.Open(Path.Combine(folder.Path, "run"), "toy", 1, folder.Path),
            Threads = 1,
            Engine = TrainingEngines.Open(TrainingEngines.Onnx, threads: 1),
            Server = server.ApiAddress,
        };
        RunSummary summary = await new SimulationRun(request, new SilentView(), TimeProvider.System).RunAsync(Ct);

        // summary.json against the API.
        JsonNode file = JsonNode.Parse(await File.ReadAllTextAsync(request.Folder.SummaryPath, Ct))!;
        using ServerApiClient api = new(server.ApiAddress);
        JobStatus job = Assert.Single(await api.JobsAsync(Ct));
        List<RoundRecord> rounds = await api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, Ct);
        Assert.Equal(4, rounds.Count);
        Assert.Equal(job.Round, (long)file["rounds"]!);
        Assert.Equal(job.InitialAccuracy, (double)file["initialAccuracy"]!);
        Assert.Equal(job.InitialLoss, (double)file["initialLoss"]!);
        Assert.Equal(job.Accuracy, (double)file["finalAccuracy"]!);
        Assert.Equal(job.Loss, (double)file["finalLoss"]!);
        Assert.Equal(job.AdapterSha256, (string)file["adapterSha256"]!);
        Assert.Equal(job.DenseFullModelBytes, (long)file["denseFullModelBytes"]!);
        Assert.Equal(rounds.Sum(round => (long)round.Accepted), (long)file["clientUpdates"]!);
        Assert.Equal(rounds.Sum(round => (long)round.Late), (long)file["late"]!);
        Assert.Equal(rounds.Sum(round => (long)round.Dropped.Values.Sum()), (long)file["dropped"]!);
        Assert.Equal(rounds.Sum(round => (double)round.BytesUp) / rounds.Sum(round => round.Accepted), (double)file["bytesUpPerClientRound"]!, 1e-9);
        Assert.True(summary.Late > 0 && summary.Dropped > 0, "a run without faults compares zeros");

        // The API against the log of the run.
        Assert.Equal(rounds.Select(Repeatable), RoundLog.Read(request.Folder.RoundsPath).Select(Repeatable));

        // The API against the command line, and against the export by the command line.
        using HttpClient http = new() { BaseAddress = server.ApiAddress };
        JsonObject answered = new()
        {
            ["job"] = JsonNode.Parse(await http.GetStringAsync(new Uri($"api/v1/jobs/{job.JobId}", UriKind.Relative), Ct)),
            ["rounds"] = JsonNode.Parse(await http.GetStringAsync(new Uri($"api/v1/jobs/{job.JobId}/rounds", UriKind.Relative), Ct)),
        };
        string shown = await ServerProgramAsync("jobs", "show", job.JobId, "--json", "--server", server.ApiAddress.ToString());
        Assert.Equal(answered.ToJsonString(), JsonNode.Parse(shown)!.ToJsonString());
        string csv = await ServerProgramAsync("rounds", "export", job.JobId, "--server", server.ApiAddress.ToString());
        string[][] table = [.. csv.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(','))];
        int accuracy = Array.IndexOf(table[0], "accuracy");
        int up = Array.IndexOf(table[0], "bytesUp");
        Assert.Equal(rounds.Select(round => round.Evaluation!.Accuracy!.Value), table.Skip(1).Select(row => double.Parse(row[accuracy], CultureInfo.InvariantCulture)));
        Assert.Equal(rounds.Select(round => round.BytesUp), table.Skip(1).Select(row => long.Parse(row[up], CultureInfo.InvariantCulture)));

        // Metrics.
        string metrics = await http.GetStringAsync(new Uri("metrics", UriKind.Relative), Ct);
        Assert.Contains($"federated_updates_total{{job_id=\"{job.JobId}\",outcome=\"accepted\"}} {summary.ClientUpdates}\n", metrics, StringComparison.Ordinal);
        string accuracyLine = Assert.Single(metrics.Split('\n'), line => line.StartsWith("federated_model_accuracy", StringComparison.Ordinal));
        Assert.StartsWith($"federated_model_accuracy{{job_id=\"{job.JobId}\"}} ", accuracyLine, StringComparison.Ordinal);
        Assert.Equal(job.Accuracy!.Value, double.Parse(accuracyLine.Split(' ')[1], CultureInfo.InvariantCulture));

        // The report holds them and needs nothing else.
        string report = await File.ReadAllTextAsync(request.Folder.Of(RunReport.FileName), Ct);
        foreach (string figure in new[] { "finalAccuracy", "clientUpdates", "bytesUpPerClientRound", "late", "dropped" })
        {
            Assert.Contains($"<td>{figure}</td><td>{file[figure]!.ToJsonString()}</td>", report, StringComparison.Ordinal);
        }

        foreach (RoundRecord round in rounds)
        {
            Assert.Contains($"<td>{round.BytesUp.ToString("N0", CultureInfo.InvariantCulture)}</td>", report, StringComparison.Ordinal);
        }

        Assert.Equal(5, report.Split("<svg ").Length - 1);
        Assert.All(new[] { "<script", "src=", "href=", "url(", "@import", "://", "NaN" }, foreign => Assert.DoesNotContain(foreign, report, StringComparison.OrdinalIgnoreCase));
        string written = Path.Combine(folder.Path, "mailed.html");
        await ServerProgramAsync("jobs", "report", job.JobId, "--out", written, "--server", server.ApiAddress.ToString());
        Assert.Contains("<h2>Rounds</h2>", await File.ReadAllTextAsync(written, Ct), StringComparison.Ordinal);
    }

    private static string Repeatable(RoundRecord record) => RoundLog.ToLine(record with { Timing = new RoundTiming() });

    private static async Task<string> ServerProgramAsync(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "Federated.Server.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(Ct);
        string output = await process.StandardOutput.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', arguments)} ended with {process.ExitCode}: {await errors}");
        return output;
    }
}
