using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Privacy;

/// <summary>
/// Noise that clients add to their own fields before masking, so that the server never sees a sum without it (Agarwal, Kairouz and Liu
/// 2021, arXiv 2110.04995). Skellam variables are differences of two Poisson variables: whole numbers, and sums of them are again Skellam,
/// so n clients with variance μ/n give the sum variance μ. Each client's part is sized for the fewest clients that may be in the sum; more
/// of them make the sum noisier, never less private.
/// </summary>
public static class DistributedSkellam
{
    /// <summary>Variance of one client's part for a variance of the sum over the fewest survivors.</summary>
    public static double ClientVariance(double sumVariance, int fewestSurvivors)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(fewestSurvivors, 1);
        return sumVariance / fewestSurvivors;
    }

    /// <summary>
    /// Adds noise to the fields [from, to) and brings what leaves [min, max] back to the bound. How rare that is follows from the room beyond
    /// the update and from the variance; see <see cref="Updates.Linear.LinearNoise.Reach"/>.
    /// </summary>
    /// <param name="fields">A client's fields.</param>
    /// <param name="from">First field.</param>
    /// <param name="to">One past the last.</param>
    /// <param name="variance">μ of this client's part.</param>
    /// <param name="min">Least value of a field.</param>
    /// <param name="max">Greatest value of a field.</param>
    /// <param name="random">Where the noise comes from: <see cref="KeyedGenerator.Create"/> on a device.</param>
    public static void AddTo(FieldVector fields, int from, int to, double variance, long min, long max, KeyedGenerator random)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(random);
        PoissonSampler poisson = new(variance / 2);
        int unused = 64 - fields.WidthBits;
        for (int i = from; i < to; i++)
        {
            long value = unchecked((long)((ulong)fields[i] << unused)) >> unused;
            long noisy = Math.Clamp(value + poisson.Next(random) - poisson.Next(random), min, max);
            fields[i] = unchecked((uint)noisy);
        }
    }

    /// <summary>
    /// Greatest L2 norm of a clipped update after stochastic rounding to whole numbers: C/γ + √d, every coordinate moving by less than 1.
    /// </summary>
    /// <param name="clipNorm">C.</param>
    /// <param name="step">γ.</param>
    /// <param name="dimension">d.</param>
    public static double RoundedNorm(double clipNorm, double step, int dimension) => (clipNorm / step) + Math.Sqrt(dimension);

    /// <summary>Greatest L1 norm of a vector of d whole numbers with L2 norm at most Δ₂: min(√d · Δ₂, Δ₂²).</summary>
    public static double LargestL1(double l2, int dimension) => Math.Min(Math.Sqrt(dimension) * l2, l2 * l2);
}
