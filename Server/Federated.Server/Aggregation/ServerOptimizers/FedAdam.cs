using System.Numerics;

namespace Federated.Server.Aggregation.ServerOptimizers;

/// <summary>v ← β₂v + (1−β₂)Δ² (Reddi et al. 2021, arXiv 2003.00295, algorithm 2, FedAdam).</summary>
internal sealed class FedAdam(float learningRate, float beta1, float beta2, float tau)
    : AdaptiveOptimizer<FedAdam.SecondMoment>(learningRate, beta1, tau, new SecondMoment(beta2))
{
    /// <inheritdoc/>
    public override string Name => "fedAdam";

    /// <summary>The rule.</summary>
    internal readonly struct SecondMoment(float beta2) : ISecondMoment
    {
        /// <inheritdoc/>
        public Vector<float> Next(Vector<float> v, Vector<float> squaredUpdate) => (v * beta2) + (squaredUpdate * (1 - beta2));
    }
}
