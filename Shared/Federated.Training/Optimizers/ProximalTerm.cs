using System.Numerics.Tensors;

namespace Federated.Training.Optimizers;

/// <summary>
/// FedProx (Li et al., arXiv 1812.06127, equation 2): the local objective gains μ/2 · ‖w − w_t‖², so its gradient gains
/// μ(w − w_t), w_t being the adapter the round began with.
/// </summary>
internal static class ProximalTerm
{
    /// <summary>gradient += μ(adapter − start), all [P]. Allocates nothing.</summary>
    public static void AddTo(Span<float> gradient, ReadOnlySpan<float> adapter, ReadOnlySpan<float> start, float mu)
    {
        // The difference is taken before it is scaled: near the start μw − μw_t would cancel most of its digits.
        Span<float> block = stackalloc float[Block.Length];
        for (int offset = 0; offset < gradient.Length; offset += Block.Length)
        {
            int count = Math.Min(Block.Length, gradient.Length - offset);
            Span<float> difference = block[..count];
            Span<float> target = gradient.Slice(offset, count);
            TensorPrimitives.Subtract(adapter.Slice(offset, count), start.Slice(offset, count), difference);
            TensorPrimitives.MultiplyAdd(difference, mu, target, target);
        }
    }
}
