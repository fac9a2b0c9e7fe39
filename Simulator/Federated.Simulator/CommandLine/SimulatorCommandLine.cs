using System.CommandLine;
using System.Text.Json;
using Federated.Server.Jobs;
using Federated.Simulator.Reports;
using Federated.Simulator.Scenarios;
using Spectre.Console;

namespace Federated.Simulator.CommandLine;

/// <summary>The simulator's commands. Without arguments the default scenario runs.</summary>
internal static class SimulatorCommandLine
{
    /// <summary>Builds the command tree.</summary>
    public static RootCommand Build()
    {
        RootCommand root = new("Simulates a federated learning fleet: a real server, the real client code, simulated devices.\n\n"
            + $"Without arguments: run --scenario {ScenarioCatalog.DefaultName}.");
        root.Add(RunCommand.Build());
        root.Add(CentralCommands.BuildPretrain());
        root.Add(CentralCommands.BuildCentral());
        root.Add(Scenarios());
        root.Add(Schema());
        root.Add(Bench.BenchCommand.Build());
        root.Add(Bench.CodecCommand.Build());
        root.SetAction((_, token) => RunCommand.RunAsync(new RunArguments(), token));
        NumberParsing.AddTo(root);
        return root;
    }

    private static Command Scenarios()
    {
        Option<bool> json = new("--json") { Description = "Print a JSON array instead of a table." };
        Command command = new("scenarios", "List the scenarios built in.") { json };
        command.SetAction(parsed =>
        {
            Scenario[] scenarios = [.. ScenarioCatalog.Names.Select(ScenarioCatalog.Read)];
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(scenarios, StrictJson.Options));
            }
            else
            {
                PrintTable(scenarios);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command Schema()
    {
        Argument<string> kind = new("kind") { Description = "job, scenario or summary." };
        kind.AcceptOnlyFromAmong("job", "scenario", "summary");
        Command command = new("schema", "Print the JSON Schema of a job, a scenario or a run's summary.") { kind };
        command.SetAction(parsed =>
        {
            Console.Out.Write(parsed.GetRequiredValue(kind) switch
            {
                "job" => JobSchema.Text,
                "scenario" => ScenarioSchema.Text,
                _ => SummarySchema.Text,
            });
            return ExitCodes.Success;
        });
        return command;
    }

    private static void PrintTable(Scenario[] scenarios)
    {
        if (Console.IsOutputRedirected)
        {
            foreach (Scenario scenario in scenarios)
            {
                Console.Out.WriteLine($"{scenario.Name}\t{Published(scenario)}\t{scenario.Description}");
            }

            return;
        }

        Table table = new Table().Border(TableBorder.Rounded)
            .AddColumn(new TableColumn("[bold]Scenario[/]").NoWrap()).AddColumn("[bold]Published[/]").AddColumn("[bold]What it is[/]");
        foreach (Scenario scenario in scenarios)
        {
            table.AddRow(new Text(scenario.Name, new Style(Color.Blue)), new Text(Published(scenario)), new Text(scenario.Description));
        }

        AnsiConsole.Write(table);
    }

    private static string Published(Scenario scenario) => scenario.Published is { } published && scenario.Job.TargetAccuracy is { } target
        ? $"{published.RoundsToTarget} rounds to {Wording.Percent(target)}"
        : "–";
}
