using Federated.Shared.Protocol;

namespace Federated.Training.Optimizers;

/// <summary>From a plan to the rule it names.</summary>
public static class LocalOptimizers
{
    /// <summary>Makes the rule of <paramref name="plan"/> after checking every number in it.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it, the value and the range.</exception>
    public static ILocalOptimizer For(LocalTrainingPlan plan)
    {
        Validate(plan);
        return plan.Optimizer switch
        {
            LocalOptimizer.Sgd => new SgdOptimizer((float)plan.LearningRate, (float)plan.WeightDecay),
            LocalOptimizer.Momentum => new MomentumOptimizer((float)plan.LearningRate, (float)plan.Momentum, (float)plan.WeightDecay),
            LocalOptimizer.AdamW => new AdamWOptimizer(plan.LearningRate, plan.Momentum, plan.Beta2, plan.Epsilon, plan.WeightDecay),
            _ => throw Refusal("optimizer", $"{(int)plan.Optimizer}", "Sgd (0), Momentum (1) or AdamW (2)"),
        };
    }

    /// <summary>Checks every number of a plan against the ranges that <see cref="LocalTrainingPlan"/> documents.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it, the value and the range.</exception>
    public static void Validate(LocalTrainingPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        Require(plan.Epochs is >= 1 and <= 1_000, "epochs", $"{plan.Epochs}", "1 to 1,000");
        Require(
            plan.BatchSize is >= 0 and <= ProtocolLimits.MaxExamples,
            "batch size",
            $"{plan.BatchSize}",
            $"1 to {ProtocolLimits.MaxExamples}, or 0 for all examples at once");
        Require(plan.MaxSteps >= 0, "most steps", $"{plan.MaxSteps}", "at least 1, or 0 for no limit");
        Require(plan.LearningRate is > 0 and <= 1e6, "learning rate", $"{plan.LearningRate}", "above 0, at most 1e6");
        Require(plan.Momentum is >= 0 and < 1, "momentum", $"{plan.Momentum}", "0 or above and below 1");
        Require(plan.Beta2 is >= 0 and < 1, "beta2", $"{plan.Beta2}", "0 or above and below 1");
        Require(plan.Epsilon is > 0 and <= 1, "epsilon", $"{plan.Epsilon}", "above 0, at most 1");
        Require(plan.WeightDecay is >= 0 and <= 1e6, "weight decay", $"{plan.WeightDecay}", "0 to 1e6");
        Require(plan.ProximalMu is >= 0 and <= 1e6, "proximal mu", $"{plan.ProximalMu}", "0 to 1e6");
    }

    private static void Require(bool holds, string name, string value, string range)
    {
        if (!holds)
        {
            throw Refusal(name, value, range);
        }
    }

    private static ArgumentException Refusal(string name, string value, string range) =>
        new($"The training plan's {name} is {value}; allowed: {range}. Correct the job's training settings.");
}
