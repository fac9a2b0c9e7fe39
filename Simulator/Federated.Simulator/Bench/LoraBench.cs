using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Federated.Server.Jobs;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Spectre.Console;

namespace Federated.Simulator.Bench;

/// <summary>What a run under one rule came to.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Ranks">Ranks of the devices, by class.</param>
/// <param name="Accuracy">After the last round; under <c>fedsa</c> that of the model without low-rank change.</param>
/// <param name="BytesUp">A client and round.</param>
/// <param name="AveragingBias">Mean over the rounds, as a share; null where the rule has none.</param>
internal sealed record LoraRow(string Rule, string Ranks, double? Accuracy, double BytesUp, double? AveragingBias);

/// <summary>Runs one scenario under every rule for low-rank adapters, one after the other, with devices of three ranks where the rule takes them.</summary>
internal static class LoraBench
{
    private const string Ranks = """ "ranks": { "label": "profile", "values": { "small": 2, "middle": 4 } }""";
    private const string Bias = """ "averagingBias": true""";
    private const string Same = "8";
    private const string Different = "2, 4, 8";

    private static readonly (string Rule, string Settings, string Ranks)[] _rules =
    [
        ("fedit", Bias, Same),
        ("ffa", "", Same),
        ("rolora", "", Same),
        ("fedsa", "", Same),
        ("hetlora", $"{Ranks},{Bias}", Different),
        ("flexlora", Ranks, Different),
        ("flora", Ranks, Different),
    ];

    /// <summary>Builds the command.</summary>
    public static Command Build()
    {
        Option<string> scenario = new("--scenario") { Description = "Scenario of a builder's model or of a package with factors of rank 8.", DefaultValueFactory = _ => "mnist-2nn-shards" };
        Option<string[]> overrides = new("--set") { Description = "Override a setting, as in 'run'.", HelpName = "key=value" };
        Option<bool> json = new("--json") { Description = "Print a JSON array instead of a table." };
        Command command = new("lora", "Run a scenario under every rule for low-rank adapters and print accuracy, bytes and averaging bias.") { scenario, overrides, json };
        command.SetAction(async (parsed, ct) =>
        {
            IReadOnlyList<LoraRow> rows = await MeasureAsync(
                parsed.GetRequiredValue(scenario), parsed.GetValue(overrides) ?? [], rule => Console.Error.WriteLine($"ran {rule}"), ct);
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(rows, ReportJson.Indented));
                return ExitCodes.Success;
            }

            Table table = new Table().Border(TableBorder.Rounded).AddColumns("rule", "ranks", "accuracy", "kB up a client and round", "averaging bias, mean");
            foreach (LoraRow row in rows)
            {
                table.AddRow(
                    row.Rule, row.Ranks, Percent(row.Accuracy), (row.BytesUp / 1e3).ToString("F1", CultureInfo.InvariantCulture), Percent(row.AveragingBias));
            }

            AnsiConsole.Write(table);
            return ExitCodes.Success;
        });
        return command;
    }

    /// <summary>Runs the scenario under every rule.</summary>
    /// <param name="scenario">Name of a scenario built in, or path of a scenario file.</param>
    /// <param name="overrides">Settings as <c>key=value</c>; they win over the bench's own, but for the rule.</param>
    /// <param name="ran">Told each rule that was run.</param>
    /// <param name="ct">Ends the run that is under way.</param>
    /// <exception cref="InvalidSettingsException">The scenario or a setting is refused.</exception>
    /// <exception cref="InvalidOperationException">A run did not complete; its rule and reason.</exception>
    public static async Task<IReadOnlyList<LoraRow>> MeasureAsync(string scenario, string[] overrides, Action<string> ran, CancellationToken ct)
    {
        List<LoraRow> rows = [];
        foreach ((string rule, string settings, string ranks) in _rules)
        {
            rows.Add(await RunAsync(scenario, overrides, rule, settings, ranks, ct));
            ran(rule);
        }

        return rows;
    }

    private static async Task<LoraRow> RunAsync(string name, string[] overrides, string rule, string settings, string ranks, CancellationToken ct)
    {
        string lora = settings.Length == 0 ? $$"""{ "rule": "{{rule}}" }""" : $$"""{ "rule": "{{rule}}", {{settings}} }""";
        string[] all =
        [
            """job.model={ "builder": "mlp", "lora": { "rank": 8, "alpha": 8 } }""",
            """population.profiles=[ { "name": "small", "share": 1 }, { "name": "middle", "share": 1 }, { "name": "large", "share": 1 } ]""",
            "job.targetAccuracy=null",
            "job.rounds=10",
            "job.training.learningRate=0.05",
            .. overrides,
            $"job.aggregation.lora={lora}",
        ];
        RunSummary summary = await BenchRun.SummaryAsync(name, all, ct);
        return summary.Outcome is RunOutcome.Completed
            ? new LoraRow(rule, ranks, summary.FinalAccuracy, summary.BytesUpPerClientRound, summary.AveragingBias)
            : throw new InvalidOperationException($"The run under '{rule}' ended as {summary.Outcome}: {summary.Reason}");
    }

    private static string Percent(double? share) => share is { } value ? value.ToString("P1", CultureInfo.InvariantCulture) : "–";
}
