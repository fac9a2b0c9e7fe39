using System.Numerics.Tensors;

namespace Federated.Training.Optimizers;

/// <summary>Stochastic gradient descent: g ← g + λw; w ← w − ηg.</summary>
internal sealed class SgdOptimizer(float learningRate, float weightDecay) : ILocalOptimizer
{
    public int StateArrays => 0;

    public void Step(int step, Span<float> adapter, Span<float> gradient, Span<float> state)
    {
        for (int start = 0; start < adapter.Length; start += Block.Length)
        {
            int count = Math.Min(Block.Length, adapter.Length - start);
            Span<float> w = adapter.Slice(start, count);
            Span<float> g = gradient.Slice(start, count);
            if (weightDecay != 0)
            {
                TensorPrimitives.MultiplyAdd(w, weightDecay, g, g);
            }

            TensorPrimitives.MultiplyAdd(g, -learningRate, w, w);
        }
    }
}
