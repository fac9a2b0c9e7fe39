using Federated.Shared.Models;
using Federated.Training;

namespace Federated.Simulator.Central;

/// <summary>What is told of training in one place; the object of <c>--json</c>.</summary>
internal sealed record CentralReport
{
    /// <summary>The scenario.</summary>
    public required string Scenario { get; init; }

    /// <summary>Seed of weights and order.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Trained parameters.</summary>
    public required int TrainedParameters { get; init; }

    /// <summary>Parameters of the full model.</summary>
    public required long FullModelParameters { get; init; }

    /// <summary>Steps taken.</summary>
    public required int Steps { get; init; }

    /// <summary>Seconds of training.</summary>
    public required double WallSeconds { get; init; }

    /// <summary>Mean held-out loss before.</summary>
    public required double? LossBefore { get; init; }

    /// <summary>And afterwards.</summary>
    public required double? LossAfter { get; init; }

    /// <summary>Held-out accuracy before.</summary>
    public required double? AccuracyBefore { get; init; }

    /// <summary>And afterwards.</summary>
    public required double? AccuracyAfter { get; init; }

    /// <summary>Language models: bits a token before.</summary>
    public required double? BitsPerTokenBefore { get; init; }

    /// <summary>And afterwards.</summary>
    public required double? BitsPerTokenAfter { get; init; }

    /// <summary>The file that the weights were written to.</summary>
    public string? File { get; init; }

    /// <summary>The account of a training.</summary>
    public static CentralReport Of(string scenario, ulong seed, CentralResult result, string? file)
    {
        bool language = result.Manifest.Task == ModelTask.CausalLm;
        return new CentralReport
        {
            Scenario = scenario,
            Seed = seed,
            TrainedParameters = result.Manifest.Layout.Length,
            FullModelParameters = result.Manifest.FullModelParameters,
            Steps = result.Steps,
            WallSeconds = result.WallSeconds,
            LossBefore = result.Before?.MeanLoss,
            LossAfter = result.After?.MeanLoss,
            AccuracyBefore = result.Before?.Quality,
            AccuracyAfter = result.After?.Quality,
            BitsPerTokenBefore = language ? Bits(result.Before) : null,
            BitsPerTokenAfter = language ? Bits(result.After) : null,
            File = file,
        };
    }

    /// <summary>A line a figure.</summary>
    public IEnumerable<string> ToLines()
    {
        yield return $"Trained: {TrainedParameters:N0} of {FullModelParameters:N0} parameters, {Steps:N0} steps in {WallSeconds:0.0} s";
        if (LossBefore is not null)
        {
            yield return $"Held-out loss: {LossBefore:0.0000} before, {LossAfter:0.0000} after";
            yield return $"Held-out accuracy: {AccuracyBefore:P2} before, {AccuracyAfter:P2} after";
        }

        if (BitsPerTokenBefore is not null)
        {
            yield return $"Held-out bits a token: {BitsPerTokenBefore:0.0000} before, {BitsPerTokenAfter:0.0000} after";
        }

        if (File is not null)
        {
            yield return $"Weights: {File}";
        }
    }

    private static double? Bits(EvaluationSum? sum) => sum?.MeanLoss / Math.Log(2);
}
