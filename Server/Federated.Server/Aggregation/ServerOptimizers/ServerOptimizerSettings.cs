using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Federated.Server.Aggregation.ServerOptimizers;

/// <summary>The rules by which the server steps.</summary>
public enum ServerOptimizerKind
{
    /// <summary>x ← x + ηΔ (McMahan et al. 2017, arXiv 1602.05629).</summary>
    FedAvg,

    /// <summary>FedAvg with server momentum (Hsu et al. 2019, arXiv 1909.06335).</summary>
    FedAvgM,

    /// <summary>Adagrad on the server (Reddi et al. 2021, arXiv 2003.00295).</summary>
    FedAdagrad,

    /// <summary>Adam on the server (same paper).</summary>
    FedAdam,

    /// <summary>Yogi on the server (same paper).</summary>
    FedYogi,
}

/// <summary>Settings of the server optimizer; the descriptions are also those of the published schema.</summary>
public sealed record ServerOptimizerSettings
{
    [Description("The rule by which the server steps along the weighted mean update.")]
    public ServerOptimizerKind Optimizer { get; init; } = ServerOptimizerKind.FedAvg;

    [Description("Server learning rate, η.")]
    [Range(0, 1e6, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 1.0;

    [Description("Momentum of fedAvgM, β.")]
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Momentum { get; init; } = 0.9;

    [Description("Decay of the first moment of fedAdagrad, fedAdam and fedYogi, β1.")]
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta1 { get; init; } = 0.9;

    [Description("Decay of the second moment of fedAdam and fedYogi, β2.")]
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta2 { get; init; } = 0.99;

    [Description("Adaptivity of fedAdagrad, fedAdam and fedYogi, τ: added to the root of the second moment, whose first value is τ².")]
    [Range(1e-12, 1e6)]
    public double Tau { get; init; } = 1e-3;
}
