using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Federated.Shared.Files;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Spectre.Console;

namespace Federated.Simulator.Bench;

/// <summary>The verb <c>bench codecs</c>: quality and bytes of every way of sending updates, in one table for each scenario.</summary>
internal static class CodecComparisonCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Build()
    {
        Option<string[]> scenarios = new("--scenario") { Description = "Scenario to compare on; may be given several times; the three that the documents show when left out.", HelpName = "NAME|FILE" };
        Option<string[]> codecs = new("--codec")
        {
            Description = $"Only ways whose name begins so; may be given several times. Names are {string.Join("; ", CodecComparison.Choices.Select(c => c.Name))}.",
            HelpName = "NAME",
        };
        Option<ulong[]> seeds = new("--seeds") { Description = "Seeds, each a run.", DefaultValueFactory = _ => [1, 2, 3], AllowMultipleArgumentsPerToken = true };
        Option<string[]> overrides = new("--set") { Description = "Override a setting in all runs, as in 'run'.", HelpName = "key=value" };
        Option<FileInfo> kept = new("--out", "-o")
        {
            Description = "JSON-lines file of finished runs. What it has is not run again, so a comparison that was stopped goes on.",
            DefaultValueFactory = _ => new FileInfo("codecs.jsonl"),
            HelpName = "FILE",
        };
        Option<bool> json = new("--json") { Description = "Print a JSON array of the runs instead of tables." };
        Command command = new("codecs", "Run scenarios with every way of sending updates and print quality, bytes and ratios, with the spread over seeds.")
        {
            scenarios, codecs, seeds, overrides, kept, json,
        };
        command.SetAction((parsed, ct) => RunAsync(
            parsed.GetValue(scenarios) is { Length: > 0 } some ? some : CodecComparison.Scenarios,
            parsed.GetValue(codecs) ?? [],
            parsed.GetRequiredValue(seeds),
            parsed.GetValue(overrides) ?? [],
            parsed.GetRequiredValue(kept).FullName,
            parsed.GetValue(json),
            ct));
        return command;
    }

    /// <summary>Runs what is missing and prints everything.</summary>
    internal static async Task<int> RunAsync(
        IReadOnlyList<string> scenarios, string[] codecs, ulong[] seeds, string[] overrides, string path, bool json, CancellationToken ct)
    {
        CodecChoice[] choices = [.. CodecComparison.Choices.Where(c => codecs.Length == 0 || codecs.Any(begin => c.Name.StartsWith(begin, StringComparison.Ordinal)))];
        if (choices.Length == 0)
        {
            Console.Error.WriteLine($"error: no way of sending updates begins with '{string.Join("' or '", codecs)}'. Names are {string.Join("; ", CodecComparison.Choices.Select(c => c.Name))}.");
            return ExitCodes.BadInput;
        }

        string settings = string.Join(' ', overrides);
        (string Scenario, CodecChoice Choice, ulong Seed)[] wanted =
            [.. scenarios.SelectMany(scenario => choices.Where(choice => choice.IsFor(scenario)).SelectMany(choice => seeds.Select(seed => (scenario, choice, seed))))];
        List<CodecRun> runs;
        try
        {
            runs = [.. await CodecComparison.ReadAsync(path, ct)];
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"error: {e.Message}");
            return ExitCodes.BadInput;
        }

        await CompleteAsync([.. wanted.Where(w => Found(runs, w, settings) is null)], runs, overrides, path, ct);
        CodecRun[] asked = [.. wanted.Select(w => Found(runs, w, settings)).OfType<CodecRun>()];
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(asked, ReportJson.Indented));
            return ExitCodes.Success;
        }

        foreach (IGrouping<string, CodecRun> scenario in asked.GroupBy(run => run.Scenario))
        {
            Print(CodecTable.Of([.. scenario]));
        }

        return ExitCodes.Success;
    }

    private static async Task CompleteAsync(
        (string Scenario, CodecChoice Choice, ulong Seed)[] missing, List<CodecRun> runs, string[] overrides, string path, CancellationToken ct)
    {
        if (missing.Length > 0)
        {
            ReplacedFile.Prepare(path);
        }

        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < missing.Length; i++)
        {
            CodecRun run = await CodecComparison.RunAsync(missing[i].Scenario, missing[i].Choice, missing[i].Seed, overrides, ct);
            runs.Add(run);
            await File.AppendAllTextAsync(path, JsonSerializer.Serialize(run, ReportJson.Line) + "\n", CancellationToken.None);
            Console.Error.WriteLine(ProgressOf(run, i + 1, missing.Length, Stopwatch.GetElapsedTime(began)));
        }
    }

    /// <summary>What is told of a run that is done, and how long the others take if they are like those before.</summary>
    internal static string ProgressOf(CodecRun run, int done, int all, TimeSpan elapsed) => FormattableString.Invariant(
        $"{done}/{all} {run.Scenario}, {run.Codec}, seed {run.Seed}: {(run.Failure.Length > 0 ? run.Failure : $"{run.Accuracy:P2}")}, {run.BytesUp / 1e3:F1} kB up; {Wording.Time(elapsed / done * (all - done))} left");

    private static CodecRun? Found(IEnumerable<CodecRun> runs, (string Scenario, CodecChoice Choice, ulong Seed) wanted, string settings) =>
        runs.FirstOrDefault(run => run.Scenario == wanted.Scenario && run.Codec == wanted.Choice.Name && run.Seed == wanted.Seed && run.Settings == settings);

    private static void Print(CodecTable table)
    {
        if (Console.IsOutputRedirected)
        {
            Console.Out.WriteLine(table.Title);
            Console.Out.WriteLine(string.Join('\t', CodecTable.Columns));
            foreach (string[] row in table.Rows)
            {
                Console.Out.WriteLine(string.Join('\t', row));
            }

            return;
        }

        Table drawn = new Table().Border(TableBorder.Rounded).Title(table.Title).AddColumns(CodecTable.Columns);
        foreach (string[] row in table.Rows)
        {
            drawn.AddRow(row);
        }

        AnsiConsole.Write(drawn);
    }
}
