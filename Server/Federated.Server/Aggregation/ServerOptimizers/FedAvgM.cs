using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Server.Aggregation.ServerOptimizers;

/// <summary>m ← βm + Δ, x ← x + ηm, m₀ = 0 (Hsu et al. 2019, arXiv 1909.06335, section 4.2). Slot 0 is m.</summary>
internal sealed class FedAvgM(float learningRate, float momentum) : IServerOptimizer
{
    /// <inheritdoc/>
    public string Name => "fedAvgM";

    /// <inheritdoc/>
    public int SlotCount => 1;

    /// <inheritdoc/>
    public float InitialSlotValue(int slot) => slot == 0 ? 0 : throw new ArgumentOutOfRangeException(nameof(slot), slot, "fedAvgM has slot 0.");

    /// <inheritdoc/>
    public void Apply(Span<float> adapter, ReadOnlySpan<float> meanUpdate, IReadOnlyList<float[]> slots)
    {
        ServerOptimizer.CheckShapes(this, adapter.Length, meanUpdate.Length, slots);
        Span<float> first = slots[0];
        Span<Vector<float>> x = MemoryMarshal.Cast<float, Vector<float>>(adapter);
        Span<Vector<float>> m = MemoryMarshal.Cast<float, Vector<float>>(first);
        ReadOnlySpan<Vector<float>> d = MemoryMarshal.Cast<float, Vector<float>>(meanUpdate);
        for (int i = 0; i < x.Length; i++)
        {
            m[i] = (m[i] * momentum) + d[i];
            x[i] += m[i] * learningRate;
        }

        for (int i = x.Length * Vector<float>.Count; i < adapter.Length; i++)
        {
            first[i] = (first[i] * momentum) + meanUpdate[i];
            adapter[i] += first[i] * learningRate;
        }
    }
}
