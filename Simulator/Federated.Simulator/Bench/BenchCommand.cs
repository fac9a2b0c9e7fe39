using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Federated.Training.Data;
using Spectre.Console;

namespace Federated.Simulator.Bench;

/// <summary>The verb that measures the platform itself and prints a table.</summary>
internal static class BenchCommand
{
    private static readonly string[] _parts = ["fold", "rounds", "updates"];

    /// <summary>Builds the command.</summary>
    public static Command Build()
    {
        Argument<string[]> parts = new("parts") { Description = "What to measure: fold, rounds, updates; all when left out.", Arity = ArgumentArity.ZeroOrMore };
        parts.AcceptOnlyFromAmong(_parts);
        Option<int> clients = new("--clients") { Description = "Clients a round.", DefaultValueFactory = _ => 100 };
        Option<int> rounds = new("--rounds") { Description = "Rounds measured, after a warm-up.", DefaultValueFactory = _ => 20 };
        Option<bool> json = new("--json") { Description = "Print a JSON object instead of tables." };
        Command command = new("bench", "Measure the platform itself: summing up, rounds without training, client updates a second.")
        {
            parts, clients, rounds, json,
        };
        command.SetAction((parsed, ct) => RunAsync(
            parsed.GetValue(parts) is { Length: > 0 } chosen ? chosen : _parts,
            parsed.GetValue(clients),
            parsed.GetValue(rounds),
            parsed.GetValue(json),
            ct));
        return command;
    }

    private static async Task<int> RunAsync(string[] parts, int clients, int rounds, bool json, CancellationToken ct)
    {
        if (clients is < 1 or > 10_000 || rounds is < 1 or > 10_000)
        {
            Console.Error.WriteLine($"error: --clients {clients} and --rounds {rounds}: both are 1 to 10000.");
            return ExitCodes.BadInput;
        }

        FoldRate? fold = parts.Contains("fold") ? FoldBench.Measure() : null;
        List<RoundCost> unchanged = [];
        if (parts.Contains("rounds"))
        {
            foreach (int parameters in new[] { 2_500, 250_000, 2_500_000 })
            {
                int total = RoundBench.WarmUpRounds + rounds;
                unchanged.Add(await RoundBench.MeasureAsync(BenchLoad.Unchanged(parameters, clients, total), rounds, ct));
                Console.Error.WriteLine($"measured rounds of {parameters:N0} parameters");
            }
        }

        RoundCost? training = null;
        if (parts.Contains("updates"))
        {
            string folder = Path.Combine(AppContext.BaseDirectory, "Data", "mnist");
            IdxExamples digits = IdxExamples.Load(
                Path.Combine(folder, "train-images-idx3-ubyte.gz"), Path.Combine(folder, "train-labels-idx1-ubyte.gz"));
            BenchLoad load = BenchLoad.SmallPerceptron(digits, clients, RoundBench.WarmUpRounds + rounds);
            training = await RoundBench.MeasureAsync(load, rounds, ct);
        }

        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new { fold, unchanged, training }, ReportJson.Indented));
        }
        else
        {
            Print(fold, unchanged, training);
        }

        return ExitCodes.Success;
    }

    private static void Print(FoldRate? fold, List<RoundCost> unchanged, RoundCost? training)
    {
        AnsiConsole.MarkupLineInterpolated(
            $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}");
        if (fold is not null)
        {
            Table table = NewTable("100 updates of 1 M float32", "GB/s best", "GB/s median");
            table.AddRow("folded into the running sum", $"{fold.FoldGigabytesPerSecond:F1}", $"{fold.FoldMedianGigabytesPerSecond:F1}");
            table.AddRow("checked for NaN, range and norm, one thread", $"{fold.CheckGigabytesPerSecond:F1}", "");
            table.AddRow("plain copy, one thread a processor", $"{fold.CopyGigabytesPerSecond:F1}", "");
            AnsiConsole.Write(table);
        }

        if (unchanged.Count > 0)
        {
            Table table = NewTable("clients × adapter", "round, s", "server CPU, s", "server peak, MiB", "durable writes");
            foreach (RoundCost cost in unchanged)
            {
                AddRow(table, cost);
            }

            AnsiConsole.Write(table);
        }

        if (training is not null)
        {
            Table table = NewTable("784-128-10, 60 examples, B = 20", "updates/s", "round, s", "server CPU, s", "server peak, MiB");
            table.AddRow(
                $"{training.Clients} × {training.AdapterBytes / 1e6:F2} MB",
                $"{training.UpdatesPerSecond:N0}",
                $"{training.RoundSeconds:F3}",
                $"{training.ServerCpuSeconds:F3}",
                $"{training.ServerPeakMemoryBytes / 1048576.0:F0}");
            AnsiConsole.Write(table);
        }
    }

    private static void AddRow(Table table, RoundCost cost) => table.AddRow(
        $"{cost.Clients} × {cost.AdapterBytes / 1e6:F2} MB",
        $"{cost.RoundSeconds:F3}",
        $"{cost.ServerCpuSeconds:F3}",
        $"{cost.ServerPeakMemoryBytes / 1048576.0:F0}",
        $"{cost.DurableWrites:F0}");

    private static Table NewTable(params string[] columns) => new Table().Border(TableBorder.Rounded).AddColumns(columns);
}
