using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Federated.Shared.Randomness;

namespace Federated.Shared.Updates.Seeds;

/// <summary>
/// K directions of P parameters that both sides draw from a seed, so that an update along them is K numbers (Qin et al., "Federated
/// Full-Parameter Tuning of Billion-Sized Language Models with Communication Cost under 18 Kilobytes", arXiv 2312.06353, section 4). A
/// client measures the slope of its loss along a direction with two forward passes, steps, and adds the slope to the direction's number;
/// the server sums the numbers and replays the steps. Linear, so that it composes with secure aggregation.
/// <para>
/// Deviation: directions are of signs (±1) where the paper draws normal numbers. E[zzᵀ] = I for both, which is what the estimate needs
/// (Spall 1992); signs are the same bits on every processor, cost a tenth, and have the least variance.
/// </para>
/// </summary>
public sealed class SeededDirections
{
    private const string Purpose = "direction";

    private readonly ulong _seed;

    /// <summary>The directions of a seed.</summary>
    /// <param name="seed">Shared by all clients and the server.</param>
    /// <param name="count">K, at least 1.</param>
    /// <param name="parameterCount">P, at least 1.</param>
    public SeededDirections(ulong seed, int count, int parameterCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(parameterCount);
        _seed = seed;
        Count = count;
        ParameterCount = parameterCount;
    }

    /// <summary>K.</summary>
    public int Count { get; }

    /// <summary>P.</summary>
    public int ParameterCount { get; }

    /// <summary>w ← w + a·z_j. Nothing of the direction is stored.</summary>
    /// <param name="direction">j, 0 to K − 1.</param>
    /// <param name="amount">a.</param>
    /// <param name="adapter">w: [P].</param>
    /// <exception cref="ArgumentException">There is no such direction, or the length is another.</exception>
    public void Step(int direction, float amount, Span<float> adapter)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(direction);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(direction, Count);
        if (adapter.Length != ParameterCount)
        {
            throw new ArgumentException($"The adapter has {adapter.Length} parameters, the directions {ParameterCount}.", nameof(adapter));
        }

        LaneGenerator signs = LaneGenerator.For(_seed, Purpose, (ulong)direction);
        ref float first = ref MemoryMarshal.GetReference(adapter);
        Vector256<uint> amounts = Vector256.Create(amount).AsUInt32();
        int i = 0;
        for (; i <= adapter.Length - LaneGenerator.Lanes; i += LaneGenerator.Lanes)
        {
            Vector256<float> step = (amounts ^ signs.NextSigns()).AsSingle();
            (Vector256.LoadUnsafe(ref first, (nuint)i) + step).StoreUnsafe(ref first, (nuint)i);
        }

        if (i < adapter.Length)
        {
            Vector256<float> step = (amounts ^ signs.NextSigns()).AsSingle();
            for (int lane = 0; i < adapter.Length; i++, lane++)
            {
                adapter[i] += step[lane];
            }
        }
    }

    /// <summary>The server's half: w ← w + scale·Σ a_j·z_j.</summary>
    /// <param name="amounts">a: [K].</param>
    /// <param name="scale">For example −η over the summed weights.</param>
    /// <param name="adapter">w: [P].</param>
    /// <exception cref="ArgumentException">A length is another.</exception>
    public void Replay(ReadOnlySpan<float> amounts, float scale, Span<float> adapter)
    {
        if (amounts.Length != Count)
        {
            throw new ArgumentException($"There are {amounts.Length} amounts for {Count} directions.", nameof(amounts));
        }

        for (int direction = 0; direction < amounts.Length; direction++)
        {
            if (amounts[direction] != 0)
            {
                Step(direction, amounts[direction] * scale, adapter);
            }
        }
    }

    /// <summary>
    /// The slope of the loss along a direction from two losses: (L(w + εz) − L(w − εz)) / 2ε (arXiv 2312.06353, equation 3).
    /// </summary>
    /// <param name="lossAhead">L(w + εz).</param>
    /// <param name="lossBehind">L(w − εz).</param>
    /// <param name="distance">ε, above 0.</param>
    public static float Slope(double lossAhead, double lossBehind, double distance)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(distance);
        return (float)((lossAhead - lossBehind) / (2 * distance));
    }
}
