using System.CommandLine;
using Federated.Modeling;
using Federated.Modeling.Costs;
using Federated.Server.Jobs;
using Spectre.Console;

namespace Federated.Server.Cli;

/// <summary><c>models cost</c>: predicts what a round costs a device and says whether it fits. Exit code 3 when it does not.</summary>
internal static class CostCommand
{
    /// <summary>The exit code of a job that does not fit.</summary>
    public const int DoesNotFit = 3;

    /// <summary>The command.</summary>
    public static Command Build(Option<bool> json)
    {
        Argument<string> source = new("package") { Description = "Folder of a package, or a job's JSON file, which also says how devices train." };
        Option<string> device = new("--device") { Description = $"{string.Join(", ", DeviceProfile.Known)}, or a JSON file with the same keys.", Required = true, HelpName = "NAME|FILE" };
        Option<int> examples = new("--examples") { Description = "Examples that a device holds.", DefaultValueFactory = _ => 600 };
        Option<int> batch = new("--batch") { Description = "With a package: examples a step.", DefaultValueFactory = _ => 10 };
        Option<int> epochs = new("--epochs") { Description = "With a package: passes over the examples.", DefaultValueFactory = _ => 1 };
        Option<double?> limit = new("--report-seconds") { Description = "With a package: seconds that a round may take; no limit when left out." };
        Command command = new("cost", "Predict seconds, memory, energy and bytes of a round on a device, and whether the job fits.") { source, device, examples, batch, epochs, limit, json };
        command.SetAction(async (parsed, ct) =>
        {
            bool fits = true;
            int code = await ModelsCommand.RunAsync(parsed.GetValue(json), Print, async () =>
            {
                int held = parsed.GetValue(examples);
                string name = parsed.GetValue(source)!;
                DeviceProfile profile = DeviceProfile.Find(parsed.GetValue(device)!);
                RoundWork work = new(parsed.GetValue(batch), held, parsed.GetValue(epochs), null, 0, parsed.GetValue(limit));
                ModelPackage package;
                IReadOnlyList<string> notCounted = [];
                if (File.Exists(name))
                {
                    DemandAbsent(parsed, batch, epochs, limit);
                    JobSpec job = JobSpec.Parse(await File.ReadAllTextAsync(name, ct));
                    JobCost said = JobCost.Of(job, held);
                    (package, work, notCounted) = (said.Package, said.Work, said.NotCounted);
                }
                else
                {
                    package = Directory.Exists(name) ? PackageFolder.Read(name) : throw new CommandException($"There is no package folder and no job file '{name}'.");
                }

                DeviceRoundCost cost = DeviceRoundCost.Predict(package, profile, work) with { NotCounted = notCounted };
                fits = cost.Fits;
                return cost;
            });
            return code == 0 && !fits ? DoesNotFit : code;
        });
        return command;
    }

    /// <summary>Demands that nothing is given beside a job's file that the file says itself.</summary>
    private static void DemandAbsent(ParseResult parsed, params Option[] options)
    {
        string[] given = [.. options.Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name)];
        if (given.Length > 0)
        {
            throw new CommandException($"{string.Join(", ", given)} cannot be given beside a job's file, which says it itself: change the file, or name a package folder.");
        }
    }

    private static void Print(DeviceRoundCost cost)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns($"{cost.Package} on {cost.Device}", "predicted");
        foreach ((string what, string value) in new[]
        {
            ("a step", FormattableString.Invariant($"{cost.Step.Flops / 1e6:N1} million operations, {cost.Step.BytesMoved / 1e6:N1} MB moved, {cost.StepSeconds * 1e3:N2} ms")),
            ("a round's training", FormattableString.Invariant($"{cost.Steps:N0} steps, {cost.TrainingSeconds:N1} s")),
            ("a round's transfers", FormattableString.Invariant($"{cost.DownBytes / 1e3:N1} kB down, {cost.UpBytes / 1e3:N1} kB up, {cost.TransferSeconds:N2} s (dense float32)")),
            ("fetched once", FormattableString.Invariant($"{cost.PackageBytes / 1e6:N2} MB")),
            ("peak memory", FormattableString.Invariant($"{cost.PeakMemoryBytes / 1e6:N0} MB, of it {cost.Step.FrozenBytes / 1e6:N1} frozen weights and {cost.Step.ActivationBytes / 1e6:N1} intermediate results")),
            ("a round's energy", FormattableString.Invariant($"{cost.EnergyJoules:N1} J")),
        })
        {
            table.AddRow(what, value);
        }

        AnsiConsole.Write(table);
        foreach (string note in cost.NotCounted)
        {
            Console.Out.WriteLine($"Not counted: {note}.");
        }

        Console.Out.WriteLine(cost.Fits ? "The job fits." : $"The job does not fit: {string.Join("; ", cost.Obstacles)}.");
    }
}
