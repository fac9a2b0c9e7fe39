using Federated.Modeling;
using Federated.Modeling.Costs;
using Federated.Modeling.Lora;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Jobs;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Cli;

/// <summary>What a job's file says of a round on a device: which package is trained, and how.</summary>
/// <param name="Package">As devices get it; its weights do not matter.</param>
/// <param name="Work">What a device does in the round of the job that sends the most.</param>
/// <param name="NotCounted">What of the job's settings moves the figures from round to round or from device to device, and is not counted in them.</param>
internal sealed record JobCost(ModelPackage Package, RoundWork Work, IReadOnlyList<string> NotCounted)
{
    /// <summary>Reads a job.</summary>
    /// <param name="job">The job; a package that it names is a folder here.</param>
    /// <param name="examples">Examples that the device holds.</param>
    /// <exception cref="CommandException">The job's model cannot be had, or its settings do not fit it.</exception>
    public static JobCost Of(JobSpec job, int examples)
    {
        ModelPackage package = PackageOf(job);
        List<string> notes = [];
        RoundWork work = WorkOf(job, examples);
        if (LoraOf(job, package.Manifest) is { } lora)
        {
            // Layers only join, and factors take turns by two rounds: the last two rounds send the most, the first two the least.
            long[] last = [Math.Max(1, job.Rounds - 1), job.Rounds];
            long[] first = [1, Math.Min(2, job.Rounds)];
            long most = last.Max(round => lora.SentIn(round).Length);
            long least = first.Min(round => lora.SentIn(round).Length);
            work = work with { SentCount = most, TrainedCount = last.Max(lora.TrainedIn) };
            if (job.Training.Directions is null && least < most)
            {
                notes.Add(FormattableString.Invariant($"some rounds send less, {least * sizeof(float)} bytes at the least: {WhyOf(lora.Settings)}"));
            }

            if (lora.Settings.Ranks is not null)
            {
                notes.Add("aggregation.lora.ranks: devices of a smaller rank send less");
            }
        }

        if (job.Training.Directions is { } directions)
        {
            work = work with { AlongDirections = true, SentCount = directions.Count };
        }

        return new JobCost(package, work, notes);
    }

    private static ModelPackage PackageOf(JobSpec job)
    {
        ModelPackage package = job.Model.Package is { } folder
            ? Directory.Exists(folder) ? PackageFolder.Read(folder) : throw new CommandException($"model.package is '{folder}'; here it has to be a folder.")
            : job.Model.Builder == JobModelBuilder.Vector ? throw new CommandException("A bare vector has no graph, so nothing can be told of its cost.")
            : ModelPackage.Build(job.Model.ToSpec(), job.Seed);
        return job.Aggregation.Lora?.Rule == LoraRuleKind.Flora && package.Manifest.Lora is not null ? MergeablePackage.Of(package) : package;
    }

    private static JobLora? LoraOf(JobSpec job, PackageManifest manifest)
    {
        try
        {
            JobLora.Check(job, manifest);
        }
        catch (InvalidSettingsException e)
        {
            throw new CommandException(e.Message);
        }

        return JobLora.Open(job, manifest);
    }

    private static RoundWork WorkOf(JobSpec job, int examples)
    {
        TrainingSettings training = job.Training;
        int slots = training.Optimizer switch { LocalOptimizer.Sgd => 0, LocalOptimizer.AdamW => 2, _ => 1 };
        return new RoundWork(
            training.BatchSize == 0 ? examples : training.BatchSize, examples, training.Epochs, training.MaxSteps == 0 ? null : training.MaxSteps, slots, job.Deadlines.ReportSeconds);
    }

    private static string WhyOf(LoraSettings settings)
    {
        string rule = $"aggregation.lora.rule = {AllowedText.NameOf(settings.Rule, StrictJson.Options)} sends the two factors of a layer in turns";
        string layers = "aggregation.lora.layers lets few layers take part at first";
        return settings.Rule != LoraRuleKind.Rolora ? layers : settings.Layers is null ? rule : $"{rule} and {layers}";
    }
}
