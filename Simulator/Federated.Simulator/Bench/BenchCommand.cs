using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Federated.Simulator.Bench.Groups;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Federated.Training.Data;
using Spectre.Console;

namespace Federated.Simulator.Bench;

/// <summary>The verb that measures the platform itself and prints a table.</summary>
internal static class BenchCommand
{
    private const string Engines = "engines";
    private static readonly string[] _platform = ["fold", "rounds", "updates", "secagg"];
    private static readonly string[] _parts = [.. _platform, Engines];

    /// <summary>Builds the command.</summary>
    public static Command Build()
    {
        Argument<string[]> parts = new("parts") { Description = "What to measure: fold, rounds, updates, secagg (these when left out) or engines.", Arity = ArgumentArity.ZeroOrMore };
        parts.AcceptOnlyFromAmong(_parts);
        Option<int> clients = new("--clients") { Description = "Clients a round, and updates that fold adds up.", DefaultValueFactory = _ => 100 };
        Option<int> rounds = new("--rounds") { Description = "Rounds measured, after a warm-up.", DefaultValueFactory = _ => 20 };
        Option<int[]> parameters = new("--parameters")
        {
            Description = "Adapter sizes of the part 'rounds', in float32 parameters.",
            DefaultValueFactory = _ => [2_500, 250_000, 2_500_000],
            AllowMultipleArgumentsPerToken = true,
        };
        Option<string[]> packages = new("--package") { Description = "engines: folder of a further model package; may be given several times.", HelpName = "DIR" };
        Option<string[]> models = new("--model")
        {
            Description = "engines: an ONNX file and what an import must be told of it, taken with all weights trained and with LoRA; may be given several times.",
            HelpName = "FILE;task=…;shape=…;fill=…",
        };
        Option<int[]> batches = new("--batch") { Description = "engines: examples a step; may be given several times; 10 and 20 when left out.", HelpName = "N" };
        Option<bool> quick = new("--quick") { Description = "Of secagg, the small groups alone." };
        Option<int[]> members = new("--members") { Description = "Of secagg, groups of these sizes alone: 10, 50, 100, 500, 1000.", AllowMultipleArgumentsPerToken = true };
        Option<int[]> fields = new("--fields") { Description = "Of secagg, vectors of these lengths alone: 10000, 100000, 1000000.", AllowMultipleArgumentsPerToken = true };
        Option<bool> json = new("--json") { Description = "Print a JSON object instead of tables." };
        Command command = new("bench", "Measure the platform itself (summing up, rounds without training, client updates a second, secure aggregation) or the engines.")
        {
            parts, clients, rounds, parameters, quick, members, fields, packages, models, batches, json,
            EngineStepBench.Build(), LoraBench.Build(), BaseBench.Build(), CostBench.Build(), CodecComparisonCommand.Build(), StatisticsBench.Build(),
        };
        command.SetAction(async (parsed, ct) =>
        {
            string[] chosen = parsed.GetValue(parts) is { Length: > 0 } some ? some : _platform;
            int code = ExitCodes.Success;
            if (chosen.Contains(Engines))
            {
                int[] sizes = parsed.GetValue(batches) is { Length: > 0 } given ? given : [10, 20];
                code = await RunEnginesAsync(parsed.GetValue(packages) ?? [], parsed.GetValue(models) ?? [], sizes, parsed.GetValue(json), ct);
            }

            return code == ExitCodes.Success && chosen.Any(_platform.Contains)
                ? await RunAsync(
                    chosen,
                    parsed.GetValue(clients),
                    parsed.GetValue(rounds),
                    parsed.GetValue(parameters)!,
                    new GroupChoice(parsed.GetValue(quick), parsed.GetValue(members) ?? [], parsed.GetValue(fields) ?? []),
                    parsed.GetValue(json),
                    ct)
                : code;
        });
        return command;
    }

    private static async Task<int> RunEnginesAsync(string[] packages, string[] models, int[] batches, bool json, CancellationToken ct)
    {
        if (batches.Any(batch => batch is < 1 or > 10_000))
        {
            Console.Error.WriteLine($"error: --batch {string.Join(", ", batches)}: each is 1 to 10000.");
            return ExitCodes.BadInput;
        }

        ImportedModel[] imported;
        try
        {
            imported = [.. models.Select(ImportedModel.Parse)];
            string? missing = imported.Select(m => m.Path).FirstOrDefault(path => !File.Exists(path));
            if (missing is not null)
            {
                throw new FormatException($"--model names '{missing}', which is no file.");
            }
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"error: {e.Message}");
            return ExitCodes.BadInput;
        }

        EngineReport report = await EngineBench.MeasureAsync(packages, imported, batches, Console.Error.WriteLine, ct);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(report, ReportJson.Indented));
        }
        else
        {
            EngineTable.Print(report);
        }

        return ExitCodes.Success;
    }

    private static async Task<int> RunAsync(
        string[] parts, int clients, int rounds, int[] sizes, GroupChoice groups, bool json, CancellationToken ct)
    {
        if (clients is < 1 or > 10_000 || rounds is < 1 or > 10_000)
        {
            Console.Error.WriteLine($"error: --clients {clients} and --rounds {rounds}: both are 1 to 10000.");
            return ExitCodes.BadInput;
        }

        if (sizes.FirstOrDefault(size => size is < 1 or > 100_000_000) is var size && size != 0)
        {
            Console.Error.WriteLine($"error: --parameters {size}: 1 to 100000000 is allowed.");
            return ExitCodes.BadInput;
        }

        if (parts.Contains("secagg") && GroupBench.Problem(groups) is { } problem)
        {
            Console.Error.WriteLine($"error: {problem}");
            return ExitCodes.BadInput;
        }

        FoldRate? fold = parts.Contains("fold") ? FoldBench.Measure(clients) : null;
        TransferLimits? limits = parts.Contains("rounds") || parts.Contains("updates") ? await TransferLimits.MeasureAsync(ct) : null;
        List<RoundCost> unchanged = [];
        if (parts.Contains("rounds"))
        {
            foreach (int parameters in sizes)
            {
                unchanged.Add(await RoundBench.MeasureAsync(BenchLoad.Unchanged(parameters, clients), rounds, ct));
                Console.Error.WriteLine($"measured rounds of {parameters:N0} parameters");
            }
        }

        RoundCost? training = null;
        if (parts.Contains("updates"))
        {
            string folder = Path.Combine(AppContext.BaseDirectory, "Data", "mnist");
            IdxExamples digits = IdxExamples.Load(
                Path.Combine(folder, "train-images-idx3-ubyte.gz"), Path.Combine(folder, "train-labels-idx1-ubyte.gz"));
            BenchLoad load = BenchLoad.SmallPerceptron(digits, clients);
            training = await RoundBench.MeasureAsync(load, rounds, ct);
        }

        GroupFigures? secureAggregation = parts.Contains("secagg") ? GroupBench.Measure(groups, ct) : null;
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new { fold, limits, unchanged, training, secureAggregation }, ReportJson.Indented));
        }
        else
        {
            Print(fold, limits, unchanged, training);
            if (secureAggregation is not null)
            {
                GroupBench.Print(secureAggregation);
            }
        }

        return ExitCodes.Success;
    }

    private static void Print(FoldRate? fold, TransferLimits? limits, List<RoundCost> unchanged, RoundCost? training)
    {
        AnsiConsole.MarkupLineInterpolated(
            $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}");
        if (fold is not null)
        {
            Table table = NewTable($"{fold.Updates} updates of 1 M float32", "GB/s best", "GB/s median");
            table.AddRow("folded into the running sum", $"{fold.FoldGigabytesPerSecond:F1}", $"{fold.FoldMedianGigabytesPerSecond:F1}");
            table.AddRow("checked for NaN, range and norm, one thread", $"{fold.CheckGigabytesPerSecond:F1}", "");
            table.AddRow("plain copy, one thread a processor", $"{fold.CopyGigabytesPerSecond:F1}", "");
            AnsiConsole.Write(table);
        }

        if (unchanged.Count > 0)
        {
            Table table = NewTable("clients × adapter", "round, s", "machine's least, s", "server CPU, s", "server peak, MiB", "durable writes");
            foreach (RoundCost cost in unchanged)
            {
                AddRow(table, cost, limits!);
            }

            AnsiConsole.Write(table);
        }

        if (limits is not null)
        {
            AnsiConsole.MarkupLineInterpolated(
                $"machine's least: loopback TCP {limits.LoopbackBytesPerCpuSecond / 1e9:F2} and SHA-256 {limits.HashBytesPerCpuSecond / 1e9:F2} GB per processor second, twice and three times per byte");
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

    private static void AddRow(Table table, RoundCost cost, TransferLimits limits) => table.AddRow(
        $"{cost.Clients} × {cost.AdapterBytes / 1e6:F2} MB",
        $"{cost.RoundSeconds:F3}",
        $"{limits.LeastSeconds(cost.Clients, cost.AdapterBytes):F3}",
        $"{cost.ServerCpuSeconds:F3}",
        $"{cost.ServerPeakMemoryBytes / 1048576.0:F0}",
        $"{cost.DurableWrites:F0}");

    private static Table NewTable(params string[] columns) => new Table().Border(TableBorder.Rounded).AddColumns(columns);
}
