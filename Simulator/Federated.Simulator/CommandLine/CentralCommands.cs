using System.CommandLine;
using System.Text.Json;
using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Server.Jobs;
using Federated.Shared.Files;
using Federated.Shared.Models;
using Federated.Simulator.Central;
using Federated.Simulator.Reports;
using Federated.Simulator.Scenarios;
using Federated.Training;

namespace Federated.Simulator.CommandLine;

/// <summary>Training in one place: <c>pretrain</c> makes the base of a scenario, <c>central</c> the reference of a federated job.</summary>
internal static class CentralCommands
{
    // Of a plan.
    private const int MostEpochs = 1_000;

    /// <summary>Builds <c>pretrain</c>.</summary>
    public static Command BuildPretrain()
    {
        Options options = new();
        Option<string?> output = new("--out", "-o") { Description = "File for the weights; SCENARIO.safetensors when left out.", HelpName = "FILE" };
        Command command = new("pretrain", "Train the base of a scenario's model in one place, on the examples that its section 'pretraining' names.") { output };
        options.AddTo(command);
        command.SetAction((parsed, token) => PretrainAsync(options.Of(parsed), parsed.GetValue(output), token));
        return command;
    }

    /// <summary>Builds <c>central</c>.</summary>
    public static Command BuildCentral()
    {
        Options options = new();
        Option<int?> epochs = new("--epochs")
        {
            Description = "Passes over all devices' examples; as many as the devices of the federated job make together when left out.",
            HelpName = "N",
        };
        Command command = new("central", "Train a scenario's job on the examples of all its devices in one place, as a reference for the federated run.") { epochs };
        options.AddTo(command);
        command.SetAction((parsed, token) => CentralAsync(options.Of(parsed), parsed.GetValue(epochs), token));
        return command;
    }

    private static async Task<int> PretrainAsync(Arguments arguments, string? output, CancellationToken ct)
    {
        Scenario scenario = arguments.Read(pretrains: true);
        if (scenario.Pretraining is not { } pretraining)
        {
            throw new InvalidSettingsException([new SettingProblem("pretraining", $"a missing section in scenario {scenario.Name}", "a scenario that says what its base is trained on")]);
        }

        string file = Path.GetFullPath(output ?? $"{scenario.Name}.safetensors");
        ModelPackage package = ModelPackage.Build(scenario.Job.Model.ToSpec().AsWhole(), scenario.Job.Seed);
        ReplacedFile.Prepare(file);
        CentralResult result = await arguments.Training().RunAsync(
            package, ScenarioExamples.OpenWhole(pretraining), HeldOutExamples.Open(scenario.Job.Evaluation), pretraining.Stages, scenario.Job.Seed, ct);
        byte[] weights = WeightsFile.Write(
            result.Manifest.Layout,
            result.Adapter,
            half: true,
            new Dictionary<string, string> { ["scenario"] = scenario.Name, ["seed"] = $"{scenario.Job.Seed}", ["model"] = result.Manifest.Name });
        await ReplacedFile.WriteOpenAsync(file, weights, ct);
        arguments.Tell(CentralReport.Of(scenario.Name, scenario.Job.Seed, result, file));
        return ExitCodes.Success;
    }

    private static async Task<int> CentralAsync(Arguments arguments, int? epochs, CancellationToken ct)
    {
        Scenario scenario = arguments.Read(pretrains: false);
        if (epochs is < 1 or > MostEpochs)
        {
            throw new InvalidSettingsException([new SettingProblem("--epochs", $"{epochs}", $"1 to {MostEpochs}")]);
        }

        JobSpec job = scenario.Job;
        ModelSpec spec = job.Model.ToSpec();
        ParameterLayout whole = ModelBuilders.Build(spec.AsWhole()).Layout;
        ModelPackage package = job.Model.Base is { } file
            ? ModelPackage.Build(spec, job.Seed, WeightsFile.Read(await File.ReadAllBytesAsync(file, ct), whole))
            : ModelPackage.Build(spec, job.Seed);
        ScenarioExamples examples = ScenarioExamples.Open(scenario);
        IExampleSource pooled = new Federated.Training.Data.ExampleSubset(examples.Examples, [.. examples.Parts.SelectMany(part => part)]);
        double passes = (double)job.Rounds * job.Cohort.Goal / examples.Parts.Length * job.Training.Epochs;

        // A limit of steps is that of a device and round; in one place as many steps are taken as all devices take together.
        long steps = job.Training.MaxSteps == 0 || epochs is not null ? 0 : (long)job.Training.MaxSteps * job.Rounds * job.Cohort.Goal;
        TrainingSettings training = job.Training with
        {
            Epochs = steps > 0 ? MostEpochs : epochs ?? (int)Math.Clamp(Math.Round(passes), 1, MostEpochs),
            MaxSteps = (int)Math.Min(steps, int.MaxValue),
        };
        CentralResult result = await arguments.Training().RunAsync(
            package, pooled, HeldOutExamples.Open(job.Evaluation), Stages(training, job.Rounds), job.Seed, ct);
        arguments.Tell(CentralReport.Of(scenario.Name, job.Seed, result, null));
        return ExitCodes.Success;
    }

    /// <summary>One stage; or, where the learning rate falls, one for each round of the federated job, or for each pass if there are fewer.</summary>
    private static IReadOnlyList<TrainingSettings> Stages(TrainingSettings training, int rounds)
    {
        if (training.FinalLearningRate is null)
        {
            return [training];
        }

        int count = Math.Min(rounds, training.MaxSteps > 0 ? training.MaxSteps : training.Epochs);
        return
        [
            .. Enumerable.Range(0, count).Select(i => training.In(i + 1, count) with
            {
                Epochs = training.MaxSteps > 0 ? training.Epochs : Share(training.Epochs, i, count),
                MaxSteps = Share(training.MaxSteps, i, count),
            }),
        ];
    }

    private static int Share(int total, int part, int parts) => (int)(((long)total * (part + 1) / parts) - ((long)total * part / parts));

    /// <summary>What both commands take.</summary>
    private sealed class Options
    {
        private readonly Option<string> _scenario = new("--scenario", "-s") { Description = "A scenario built in, or the path of a scenario file.", HelpName = "NAME|FILE", Required = true };
        private readonly Option<string[]> _overrides = new("--set") { Description = "Override a setting, as with 'run'.", HelpName = "key=value", AllowMultipleArgumentsPerToken = false };
        private readonly Option<ulong?> _seed = new("--seed") { Description = "Seed of weights and order.", HelpName = "N" };
        private readonly Option<int> _threads = new("--threads") { Description = "Threads of the engine.", HelpName = "N", DefaultValueFactory = _ => Environment.ProcessorCount, CustomParser = NumberParsing.Threads };
        private readonly Option<string?> _data = new("--data") { Description = "Folder that relative paths of example files start from.", HelpName = "PATH" };
        private readonly Option<bool> _json = new("--json") { Description = "Print nothing but the account, as JSON." };

        public void AddTo(Command command)
        {
            foreach (Option option in new Option[] { _scenario, _overrides, _seed, _threads, _data, _json })
            {
                command.Add(option);
            }
        }

        public Arguments Of(ParseResult parsed) => new(
            parsed.GetRequiredValue(_scenario),
            parsed.GetValue(_overrides) ?? [],
            parsed.GetValue(_seed),
            parsed.GetValue(_threads),
            parsed.GetValue(_data),
            parsed.GetValue(_json));
    }

    private sealed record Arguments(string Scenario, IReadOnlyList<string> Overrides, ulong? Seed, int Threads, string? Data, bool Json)
    {
        /// <summary>The scenario, whose files that are read here exist.</summary>
        /// <param name="pretrains">Whether the base is what is made, and not where training starts.</param>
        /// <exception cref="InvalidSettingsException">The scenario is refused, or its model is not one that is built here.</exception>
        public Scenario Read(bool pretrains)
        {
            (string text, string home) = ScenarioCatalog.Find(Scenario);
            IEnumerable<string> overrides = Seed is { } seed ? [.. Overrides, $"job.seed={seed}"] : Overrides;
            ReadScenario read = ScenarioReader.Read(text, overrides);
            DemandBuilt(read.Scenario.Job.Model, readsBase: !pretrains);
            if (!pretrains && read.Scenario.Job.Training.Directions is not null)
            {
                throw Refuse("job.training.directions", "this key with 'central'", "null: training in one place computes gradients, which other rates suit");
            }

            return ScenarioReader.Locate(read, Path.GetFullPath(Data ?? home), readsHeldOut: true, demandsBase: !pretrains, readsPretraining: pretrains).Scenario;
        }

        public CentralTraining Training() => new(Threads, Progress, TimeProvider.System);

        public void Tell(CentralReport report)
        {
            if (Json)
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(report, ReportJson.Indented));
                return;
            }

            foreach (string line in report.ToLines())
            {
                Console.Out.WriteLine(line);
            }
        }

        // Packages and adapters by their hash are a server's, and here is none.
        private static void DemandBuilt(JobModel model, bool readsBase)
        {
            if (model.Package is { } package)
            {
                throw Refuse("job.model.package", package, "a builder in its place: training in one place builds its model");
            }

            if (model.Builder == JobModelBuilder.Vector)
            {
                throw Refuse("job.model.builder", "vector", "mlp, cnn, gpt or vit: a bare vector learns nothing");
            }

            if (readsBase && ContentHash.TryParse(model.Base, out _))
            {
                throw Refuse("job.model.base", model.Base!, "a file, as 'pretrain' writes it: training in one place has no store of adapters");
            }
        }

        private static InvalidSettingsException Refuse(string path, string value, string allowed) => new([new SettingProblem(path, value, allowed)]);

        private void Progress(string line)
        {
            if (!Json)
            {
                Console.Error.WriteLine(line);
            }
        }
    }
}
