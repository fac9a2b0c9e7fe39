using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Server.Jobs;
using Federated.Simulator.Population;

namespace Federated.Simulator.Scenarios;

/// <summary>
/// A simulation as a person describes it: a job, the population that does it, what goes wrong, and the examples. The descriptions on the
/// properties document them here and in the published schema (docs/schemas/scenario.schema.json). Immutable.
/// </summary>
internal sealed record Scenario : ISettings
{
    [Description("Names the scenario, its run folder and, unless they say otherwise, its job and population.")]
    [Identifier]
    public required string Name { get; init; }

    [Description("One sentence for people.")]
    public string Description { get; init; } = "";

    [Description("A published experiment with the same settings, to compare with.")]
    public PublishedSettings? Published { get; init; }

    [Description("The job; name and population may be left out, and cohort.minimumPool then is population.devices, so that runs repeat. With --server a population that is left out is the run's own: the scenario's name and a random suffix.")]
    public required JobSpec Job { get; init; }

    [Description("The simulated devices and how examples are dealt to them.")]
    public PopulationSettings Population { get; init; } = new();

    [Description("What goes wrong, repeatably.")]
    public FaultSettings Faults { get; init; } = new();

    [Description("The training examples. Relative paths are relative to --data, or else to the scenario's file.")]
    public required ExampleSettings Data { get; init; }

    [Description("What 'pretrain' trains a base of the job's model on; null when there is nothing to pretrain.")]
    public PretrainingSettings? Pretraining { get; init; }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if ((Data.Kind == ExampleKind.Corpus) != (Population.Partition == PartitionScheme.Natural))
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "population.partition"),
                $"{AllowedText.NameOf(Population.Partition, StrictJson.Options)} with data.kind = {AllowedText.NameOf(Data.Kind, StrictJson.Options)}",
                "natural with corpus, where each author is a device; another scheme with idx");
        }

        int devices = Population.Devices;
        if (Job.Cohort.Goal >= 1 && Job.Cohort.OverSelection is >= 1 and <= 10 && devices < Job.Cohort.CohortSize)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "population.devices"),
                $"{devices} with cohorts of {Job.Cohort.CohortSize}",
                $"{Job.Cohort.CohortSize} and above; or lower job.cohort.goal or job.cohort.overSelection");
        }
        else if (devices < Job.Cohort.MinimumPool)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "population.devices"),
                $"{devices} with job.cohort.minimumPool = {Job.Cohort.MinimumPool}",
                $"{Job.Cohort.MinimumPool} and above; or lower job.cohort.minimumPool: every round would wait job.deadlines.selectSeconds for devices that there are not");
        }
    }
}

/// <summary>A published experiment.</summary>
internal sealed record PublishedSettings
{
    [Description("Rounds it needed to the same target.")]
    [Range(1, 10_000_000)]
    public required int RoundsToTarget { get; init; }

    [Description("The publication, with table or section.")]
    public required string Source { get; init; }
}

/// <summary>What goes wrong, repeatably.</summary>
internal sealed record FaultSettings
{
    [Description("Probability that a selected device vanishes from a round.")]
    [Range(0.0, 1.0)]
    public double DropRate { get; init; }

    [Description("Spread of completion times: sigma of a log-normal factor; 0 for none.")]
    [Range(0.0, 5.0)]
    public double Jitter { get; init; }

    [Description("Whether vanishing devices say nothing, so that the round waits for its deadline by the wall clock. Slow, and not repeatable.")]
    public bool Silent { get; init; }
}
