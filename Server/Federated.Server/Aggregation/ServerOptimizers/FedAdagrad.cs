using System.Numerics;

namespace Federated.Server.Aggregation.ServerOptimizers;

/// <summary>v ← v + Δ² (Reddi et al. 2021, arXiv 2003.00295, algorithm 2, FedAdagrad).</summary>
internal sealed class FedAdagrad(float learningRate, float beta1, float tau)
    : AdaptiveOptimizer<FedAdagrad.SecondMoment>(learningRate, beta1, tau, default)
{
    /// <inheritdoc/>
    public override string Name => "fedAdagrad";

    /// <summary>The rule.</summary>
    internal readonly struct SecondMoment : ISecondMoment
    {
        /// <inheritdoc/>
        public Vector<float> Next(Vector<float> v, Vector<float> squaredUpdate) => v + squaredUpdate;
    }
}
