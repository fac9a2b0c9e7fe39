using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Shared.Protocol;

namespace Federated.Server.Jobs;

/// <summary>How devices train; the ranges are those of the plan document.</summary>
public sealed record TrainingSettings
{
    [Description("Passes over a device's examples in a round, E.")]
    [Range(1, 1_000)]
    public int Epochs { get; init; } = 1;

    [Description("Examples a step, B; 0 takes all of a device's examples at once.")]
    [Range(0, ProtocolLimits.MaxExamples)]
    public int BatchSize { get; init; } = 10;

    [Description("Most steps a round; 0 for no limit.")]
    [Range(0, int.MaxValue)]
    public int MaxSteps { get; init; }

    [Description("The rule by which devices step.")]
    public LocalOptimizer Optimizer { get; init; } = LocalOptimizer.Sgd;

    [Description("Learning rate of the devices.")]
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 0.1;

    [Description("Learning rate of the last round, to which the rounds before it come down along a cosine; null keeps the rate.")]
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double? FinalLearningRate { get; init; }

    [Description("Momentum, or the first decay of adamW.")]
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Momentum { get; init; } = 0.9;

    [Description("Second decay of adamW.")]
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta2 { get; init; } = 0.999;

    [Description("Term added to the denominator of adamW.")]
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Epsilon { get; init; } = 1e-8;

    [Description("Weight decay: decoupled for adamW, added to the gradient otherwise.")]
    [Range(0.0, 1e6)]
    public double WeightDecay { get; init; }

    [Description("FedProx: strength of the pull towards the round's model; 0 switches it off.")]
    [Range(0.0, 1e6)]
    public double ProximalMu { get; init; }

    [Description("Train by forward passes alone along seeded directions and send their amounts (FedKSeed); null trains by gradients.")]
    public DirectionSettings? Directions { get; init; }

    /// <summary>The settings of one round: with its learning rate, which falls along half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983, equation 5, without restarts).</summary>
    /// <param name="round">From 1.</param>
    /// <param name="rounds">Rounds of the job; at least 1.</param>
    public TrainingSettings In(long round, int rounds)
    {
        if (FinalLearningRate is not { } final)
        {
            return this;
        }

        double progress = Math.Clamp((round - 1.0) / Math.Max(rounds - 1, 1), 0, 1);
        return this with { LearningRate = final + ((LearningRate - final) * (1 + Math.Cos(Math.PI * progress)) / 2), FinalLearningRate = null };
    }

    /// <summary>The same as the plan carries it.</summary>
    public LocalTrainingPlan ToPlan() => new()
    {
        Epochs = Epochs,
        BatchSize = BatchSize,
        MaxSteps = MaxSteps,
        Optimizer = Optimizer,
        LearningRate = LearningRate,
        Momentum = Momentum,
        Beta2 = Beta2,
        Epsilon = Epsilon,
        WeightDecay = WeightDecay,
        ProximalMu = ProximalMu,
    };
}
