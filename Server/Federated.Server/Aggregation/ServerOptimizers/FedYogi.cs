using System.Numerics;

namespace Federated.Server.Aggregation.ServerOptimizers;

/// <summary>v ← v − (1−β₂)Δ²·sgn(v−Δ²), sgn 0 = 0 (Reddi et al. 2021, arXiv 2003.00295, algorithm 2, FedYogi).</summary>
internal sealed class FedYogi(float learningRate, float beta1, float beta2, float tau)
    : AdaptiveOptimizer<FedYogi.SecondMoment>(learningRate, beta1, tau, new SecondMoment(beta2))
{
    /// <inheritdoc/>
    public override string Name => "fedYogi";

    /// <summary>The rule.</summary>
    internal readonly struct SecondMoment(float beta2) : ISecondMoment
    {
        /// <inheritdoc/>
        public Vector<float> Next(Vector<float> v, Vector<float> squaredUpdate)
        {
            Vector<float> change = squaredUpdate * (1 - beta2);
            Vector<float> lowered = Vector.ConditionalSelect(Vector.GreaterThan(v, squaredUpdate), v - change, v);
            return Vector.ConditionalSelect(Vector.LessThan(v, squaredUpdate), v + change, lowered);
        }
    }
}
