using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Server.Aggregation.ServerOptimizers;

/// <summary>x ← x + ηΔ (McMahan et al. 2017, arXiv 1602.05629, algorithm 1, with a server learning rate).</summary>
internal sealed class FedAvg(float learningRate) : IServerOptimizer
{
    /// <inheritdoc/>
    public string Name => "fedAvg";

    /// <inheritdoc/>
    public int SlotCount => 0;

    /// <inheritdoc/>
    public float InitialSlotValue(int slot) => throw new ArgumentOutOfRangeException(nameof(slot), slot, "fedAvg has no slots.");

    /// <inheritdoc/>
    public void Apply(Span<float> adapter, ReadOnlySpan<float> meanUpdate, IReadOnlyList<float[]> slots)
    {
        ServerOptimizer.CheckShapes(this, adapter.Length, meanUpdate.Length, slots);
        Span<Vector<float>> x = MemoryMarshal.Cast<float, Vector<float>>(adapter);
        ReadOnlySpan<Vector<float>> d = MemoryMarshal.Cast<float, Vector<float>>(meanUpdate);
        for (int i = 0; i < x.Length; i++)
        {
            x[i] += d[i] * learningRate;
        }

        for (int i = x.Length * Vector<float>.Count; i < adapter.Length; i++)
        {
            adapter[i] += meanUpdate[i] * learningRate;
        }
    }
}
