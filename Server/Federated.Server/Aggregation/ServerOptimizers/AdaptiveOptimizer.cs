using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Server.Aggregation.ServerOptimizers;

/// <summary>How an adaptive rule moves its second moment. A struct, so that the loop below is compiled for each rule.</summary>
internal interface ISecondMoment
{
    /// <summary>The next v from v and Δ².</summary>
    Vector<float> Next(Vector<float> v, Vector<float> squaredUpdate);
}

/// <summary>
/// FedOpt with an adaptive server (Reddi et al. 2021, arXiv 2003.00295, algorithm 2): m ← β₁m + (1−β₁)Δ, v by the rule,
/// x ← x + η·m/(√v + τ), with m₀ = 0, v₀ = τ² and no bias correction. Slot 0 is m, slot 1 is v.
/// </summary>
internal abstract class AdaptiveOptimizer<TSecondMoment>(float learningRate, float beta1, float tau, TSecondMoment secondMoment) : IServerOptimizer
    where TSecondMoment : struct, ISecondMoment
{
    private readonly TSecondMoment _secondMoment = secondMoment;

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public int SlotCount => 2;

    /// <inheritdoc/>
    public float InitialSlotValue(int slot) => slot switch
    {
        0 => 0,
        1 => tau * tau,
        _ => throw new ArgumentOutOfRangeException(nameof(slot), slot, $"{Name} has slots 0 and 1."),
    };

    /// <inheritdoc/>
    public void Apply(Span<float> adapter, ReadOnlySpan<float> meanUpdate, IReadOnlyList<float[]> slots)
    {
        ServerOptimizer.CheckShapes(this, adapter.Length, meanUpdate.Length, slots);
        int vectorised = adapter.Length - (adapter.Length % Vector<float>.Count);
        Step(
            MemoryMarshal.Cast<float, Vector<float>>(adapter),
            MemoryMarshal.Cast<float, Vector<float>>(meanUpdate),
            MemoryMarshal.Cast<float, Vector<float>>(slots[0].AsSpan()),
            MemoryMarshal.Cast<float, Vector<float>>(slots[1].AsSpan()));

        // The rest goes through the same arithmetic in one padded vector.
        Span<float> x = adapter[vectorised..];
        if (!x.IsEmpty)
        {
            Span<float> m = slots[0].AsSpan(vectorised);
            Span<float> v = slots[1].AsSpan(vectorised);
            Span<Vector<float>> padded = stackalloc Vector<float>[4];
            padded.Clear();
            CopyIn(x, ref padded[0]);
            CopyIn(meanUpdate[vectorised..], ref padded[1]);
            CopyIn(m, ref padded[2]);
            CopyIn(v, ref padded[3]);
            Step(padded[..1], padded[1..2], padded[2..3], padded[3..4]);
            CopyOut(padded[0], x);
            CopyOut(padded[2], m);
            CopyOut(padded[3], v);
        }
    }

    private void Step(Span<Vector<float>> x, ReadOnlySpan<Vector<float>> update, Span<Vector<float>> m, Span<Vector<float>> v)
    {
        Vector<float> adaptivity = new(tau);
        float fresh = 1 - beta1;
        for (int i = 0; i < x.Length; i++)
        {
            Vector<float> delta = update[i];
            Vector<float> first = (m[i] * beta1) + (delta * fresh);
            Vector<float> second = _secondMoment.Next(v[i], delta * delta);
            m[i] = first;
            v[i] = second;
            x[i] += first * learningRate / (Vector.SquareRoot(second) + adaptivity);
        }
    }

    private static void CopyIn(ReadOnlySpan<float> source, ref Vector<float> target) =>
        source.CopyTo(MemoryMarshal.Cast<Vector<float>, float>(MemoryMarshal.CreateSpan(ref target, 1)));

    private static void CopyOut(Vector<float> source, Span<float> target) =>
        MemoryMarshal.Cast<Vector<float>, float>(MemoryMarshal.CreateSpan(ref source, 1))[..target.Length].CopyTo(target);
}
