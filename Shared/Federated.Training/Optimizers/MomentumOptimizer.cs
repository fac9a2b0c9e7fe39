using System.Numerics.Tensors;

namespace Federated.Training.Optimizers;

/// <summary>
/// Heavy-ball momentum in the form of torch.optim.SGD without dampening: g ← g + λw; v ← βv + g; w ← w − ηv, v = 0 at first.
/// </summary>
internal sealed class MomentumOptimizer(float learningRate, float momentum, float weightDecay) : ILocalOptimizer
{
    public int StateArrays => 1;

    public void Step(int step, Span<float> adapter, Span<float> gradient, Span<float> state)
    {
        for (int start = 0; start < adapter.Length; start += Block.Length)
        {
            int count = Math.Min(Block.Length, adapter.Length - start);
            Span<float> w = adapter.Slice(start, count);
            Span<float> g = gradient.Slice(start, count);
            Span<float> velocity = state.Slice(start, count);
            if (weightDecay != 0)
            {
                TensorPrimitives.MultiplyAdd(w, weightDecay, g, g);
            }

            TensorPrimitives.MultiplyAdd(velocity, momentum, g, velocity);
            TensorPrimitives.MultiplyAdd(velocity, -learningRate, w, w);
        }
    }
}
