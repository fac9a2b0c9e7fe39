using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Server.Aggregation.LoraRules;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Seeds;

namespace Federated.Server.Jobs;

/// <summary>Training by forward passes along seeded directions (FedKSeed, arXiv 2312.06353).</summary>
public sealed record DirectionSettings
{
    private const string Path = "training.directions";

    [Description("K: directions a round, and numbers in an update.")]
    [Range(1, DirectionPlan.MaxCount)]
    public required int Count { get; init; }

    [Description("Distance between the adapter and either of the two points at which a step measures the loss.")]
    [Range(DirectionPlan.MinDistance, DirectionPlan.MaxDistance)]
    public double Distance { get; init; } = 1e-3;

    /// <summary>The directions of a round: others each time.</summary>
    public DirectionPlan ToPlan(ulong jobSeed, long round) =>
        new(SeededGenerator.For(jobSeed, "directions", (ulong)round).NextUInt64(), Count, Distance);

    /// <summary>The server's half: the mean of the amounts becomes the mean of the updates.</summary>
    /// <param name="plan">The round's directions.</param>
    /// <param name="amounts">[K].</param>
    /// <param name="mean">[P], overwritten.</param>
    internal static void Replay(DirectionPlan plan, ReadOnlySpan<float> amounts, Span<float> mean)
    {
        SeededDirections directions = plan.Of(mean.Length);
        mean.Clear();
        directions.Replay(amounts, 1, mean);
    }

    /// <summary>What these settings and the rest of a job cannot do together.</summary>
    internal static IEnumerable<SettingProblem> Validate(JobSpec spec)
    {
        if (spec.Training.Directions is null)
        {
            yield break;
        }

        TrainingSettings training = spec.Training;
        if (training.Optimizer != LocalOptimizer.Sgd || training.WeightDecay != 0 || training.ProximalMu != 0)
        {
            yield return new SettingProblem(
                Path,
                $"directions together with optimizer = {AllowedText.NameOf(training.Optimizer, StrictJson.Options)}, weightDecay = {training.WeightDecay}, proximalMu = {training.ProximalMu}",
                "null; or optimizer = sgd, weightDecay = 0 and proximalMu = 0: devices only step along the directions, or the server could not repeat their steps");
        }

        if (spec.Update.Codec is UpdateCodec.TopK or UpdateCodec.Stc)
        {
            yield return new SettingProblem(
                Path,
                $"directions together with update.codec = {AllowedText.NameOf(spec.Update.Codec, StrictJson.Options)}",
                "null; or update.codec = dense, quantized or linear: what this codec leaves out belongs to directions that the next round does not have");
        }

        if (spec.Aggregation.Lora is { } lora
            && (lora.Rule is not (LoraRuleKind.Fedit or LoraRuleKind.Ffa or LoraRuleKind.Rolora) || lora.Ranks is not null || lora.AveragingBias))
        {
            yield return new SettingProblem(
                Path,
                $"directions together with aggregation.lora.rule = {AllowedText.NameOf(lora.Rule, StrictJson.Options)}, its ranks or its averaging bias",
                "null; or rule = fedit, ffa or rolora without ranks and averagingBias: one set of directions has one length for all devices, and nothing of it stays on them");
        }

        if (spec.Model.Builder == JobModelBuilder.Vector)
        {
            yield return new SettingProblem(Path, "directions of model.builder = vector", "null: a bare vector has no loss");
        }
    }
}
