namespace Federated.Shared.Protocol;

/// <summary>The rule by which a client steps along its gradient.</summary>
public enum LocalOptimizer
{
    /// <summary>w ← w − ηg.</summary>
    Sgd = 0,

    /// <summary>v ← βv + g; w ← w − ηv (Polyak's heavy ball, as torch.optim.SGD writes it).</summary>
    Momentum = 1,

    /// <summary>Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101).</summary>
    AdamW = 2,
}

/// <summary>How a client trains: engine-neutral, the same on every device of a round.</summary>
public sealed record LocalTrainingPlan
{
    /// <summary>E, passes over the client's examples; 1 to 1,000.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>B, examples a step; 0 takes all of them at once (B = ∞ in McMahan et al. 2017).</summary>
    public int BatchSize { get; init; } = 10;

    /// <summary>Most steps a round, 0 for no limit.</summary>
    public int MaxSteps { get; init; }

    /// <summary>The rule.</summary>
    public LocalOptimizer Optimizer { get; init; } = LocalOptimizer.Sgd;

    /// <summary>η, above 0.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>β of momentum and β₁ of AdamW, in [0, 1).</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>β₂ of AdamW, in [0, 1).</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>ε of AdamW, above 0.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>λ: decoupled for AdamW, added to the gradient otherwise; 0 or above.</summary>
    public double WeightDecay { get; init; }

    /// <summary>μ of FedProx (Li et al., arXiv 1812.06127): adds μ(w − w_t) to the gradient; 0 switches it off.</summary>
    public double ProximalMu { get; init; }
}
