using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Aggregation.ServerOptimizers;

namespace Federated.Server.Jobs;

/// <summary>
/// A training task as a person submits it. Read it with <see cref="Parse"/>, which refuses what cannot run. The descriptions on the
/// properties document them here and in the published schema (docs/schemas/job.schema.json). Immutable.
/// </summary>
public sealed record JobSpec : ISettings
{
    [Description("The job's name for people and part of its identifier.")]
    [Identifier]
    public required string Name { get; init; }

    [Description("The population of devices it trains on.")]
    [Identifier]
    public required string Population { get; init; }

    [Description("Seeds selection, shuffles and initial weights: the same seed gives the same result.")]
    public ulong Seed { get; init; } = 1;

    [Description("Rounds after which the job is complete.")]
    [Range(1, 10_000_000)]
    public int Rounds { get; init; } = 100;

    [Description("Central accuracy at which the job is complete earlier; null runs all rounds. Needs evaluation.")]
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double? TargetAccuracy { get; init; }

    [Description("The model to train.")]
    public required JobModel Model { get; init; }

    [Description("How many devices take part in a round.")]
    public CohortSettings Cohort { get; init; } = new();

    [Description("Time limits of a round's phases.")]
    public DeadlineSettings Deadlines { get; init; } = new();

    [Description("How devices train.")]
    public TrainingSettings Training { get; init; } = new();

    [Description("How the server turns an aggregate into the next model.")]
    public ServerOptimizerSettings Server { get; init; } = new();

    [Description("Central evaluation on held-out examples; null for none.")]
    public EvaluationSettings? Evaluation { get; init; }

    [Description("How devices write their updates.")]
    public UpdateSettings Update { get; init; } = new();

    [Description("How the adapter reaches devices. whole: as float32 in every round. compact: 8-bit changes for devices that hold an earlier version, 8 bits a parameter for the others, who under aggregation.secure get it whole.")]
    public DownlinkKind Downlink { get; init; } = DownlinkKind.Whole;

    [Description("How updates are combined.")]
    public AggregationSettings Aggregation { get; init; } = new();

    [Description("Differential privacy of what one device holds; null for none. Needs update.codec = linear.")]
    public PrivacySettings? Privacy { get; init; }

    /// <summary>Reads a job's file.</summary>
    /// <exception cref="InvalidSettingsException">It is refused; the exception lists every problem.</exception>
    public static JobSpec Parse(string json) => StrictJson.Read<JobSpec>(json);

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (TargetAccuracy is not null && Evaluation is null)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "targetAccuracy"), $"{TargetAccuracy} without evaluation", "null; or add evaluation with held-out data");
        }

        if (Model.Builder == JobModelBuilder.Vector && Evaluation is not null)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "evaluation"), "an evaluation of model.builder = vector", "null: a bare vector has no graph; or model.builder = mlp or cnn");
        }

        if (Aggregation.Secure is not null && Aggregation.Rule != AggregationRule.Mean)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "aggregation.rule"),
                $"{AggregationSettings.NameOf(Aggregation.Rule)} together with aggregation.secure",
                "mean: under secure aggregation the server never sees the single updates that this rule compares; or aggregation.secure = null");
        }

        foreach (SettingProblem problem in Aggregation.Secure?.ValidateWith(Cohort, Update) ?? [])
        {
            yield return problem;
        }

        foreach (SettingProblem problem in LinearSettings.ValidateWidth(Update, Cohort, Aggregation.Secure))
        {
            yield return problem;
        }

        foreach (SettingProblem problem in LinearSettings.ValidateSet(this))
        {
            yield return problem;
        }

        if (Downlink == DownlinkKind.Compact && Aggregation.Lora is { } lora && LoraRule.ReplacesFactors(lora.Rule))
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "downlink"),
                $"compact together with aggregation.lora.rule = {AllowedText.NameOf(lora.Rule, StrictJson.Options)}",
                "whole: this rule makes new factors in every round, and their difference from the old ones is no small change");
        }

        foreach (SettingProblem problem in PrivacySettings.Validate(this))
        {
            yield return problem;
        }

        foreach (SettingProblem problem in DirectionSettings.Validate(this))
        {
            yield return problem;
        }

        foreach (SettingProblem problem in Aggregation.Lora?.ValidateWith(Server, Update, Aggregation) ?? [])
        {
            yield return problem;
        }
    }
}
