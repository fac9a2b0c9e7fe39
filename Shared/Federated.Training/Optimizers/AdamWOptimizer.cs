using System.Numerics.Tensors;

namespace Federated.Training.Optimizers;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2) as torch.optim.AdamW scales it:
/// w ← (1 − ηλ)w; m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; w ← w − η m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ) and
/// v̂ = v / (1 − β₂ᵗ). State: m, then v. Deviation from the paper: the decay is multiplied by η (the paper's schedule factor
/// is not).
/// </summary>
internal sealed class AdamWOptimizer(double learningRate, double beta1, double beta2, double epsilon, double weightDecay) : ILocalOptimizer
{
    public int StateArrays => 2;

    public void Step(int step, Span<float> adapter, Span<float> gradient, Span<float> state)
    {
        int length = adapter.Length;
        float stepSize = (float)(learningRate / (1.0 - Math.Pow(beta1, step)));
        float inverseRootCorrection = (float)(1.0 / Math.Sqrt(1.0 - Math.Pow(beta2, step)));
        for (int start = 0; start < length; start += Block.Length)
        {
            int count = Math.Min(Block.Length, length - start);
            StepBlock(
                adapter.Slice(start, count),
                gradient.Slice(start, count),
                state.Slice(start, count),
                state.Slice(length + start, count),
                stepSize,
                inverseRootCorrection);
        }
    }

    private void StepBlock(Span<float> w, Span<float> g, Span<float> m, Span<float> v, float stepSize, float inverseRootCorrection)
    {
        if (weightDecay != 0)
        {
            TensorPrimitives.Multiply(w, (float)(1.0 - (learningRate * weightDecay)), w);
        }

        TensorPrimitives.Multiply(m, (float)beta1, m);
        TensorPrimitives.MultiplyAdd(g, (float)(1.0 - beta1), m, m);
        TensorPrimitives.Multiply(v, (float)beta2, v);
        TensorPrimitives.Multiply(g, g, g);
        TensorPrimitives.MultiplyAdd(g, (float)(1.0 - beta2), v, v);

        // g is spent: it carries the denominator, then the quotient.
        TensorPrimitives.Sqrt(v, g);
        TensorPrimitives.Multiply(g, inverseRootCorrection, g);
        TensorPrimitives.Add(g, (float)epsilon, g);
        TensorPrimitives.Divide(m, g, g);
        TensorPrimitives.MultiplyAdd(g, -stepSize, w, w);
    }
}
