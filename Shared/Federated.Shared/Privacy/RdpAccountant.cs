namespace Federated.Shared.Privacy;

/// <summary>
/// Adds up Rényi differential privacy (Mironov 2017, arXiv 1702.07476) at integer orders and converts it to (ε, δ): ε = min over α of
/// r(α) + log(1 − 1/α) − log(δα)/(α − 1) (Canonne, Kamath and Steinke 2020, arXiv 2004.00010, proposition 12). Not thread-safe.
/// </summary>
public sealed class RdpAccountant
{
    /// <summary>Greatest order looked at.</summary>
    public const int MaxOrder = 256;

    private const int MinOrder = 2;

    // r(α) at [α − 2].
    private readonly double[] _spent = new double[MaxOrder - MinOrder + 1];

    /// <summary>
    /// Steps of the Gaussian mechanism, each on a Poisson sample: every unit is in a step with probability q, independently (Mironov,
    /// Talwar and Zhang 2019, arXiv 1908.10530, section 3.3). With q = 1, plain Gaussian steps.
    /// </summary>
    /// <param name="samplingRate">q in (0, 1].</param>
    /// <param name="noiseMultiplier">z: deviation of the noise over the greatest L2 norm of one unit's part, above 0.</param>
    /// <param name="steps">At least 0.</param>
    public void AddGaussian(double samplingRate, double noiseMultiplier, int steps)
    {
        if (!(samplingRate is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(samplingRate), samplingRate, "A sampling rate is above 0 and at most 1.");
        }

        RequirePositive(noiseMultiplier, nameof(noiseMultiplier));
        Add(steps, order => SampledGaussian(samplingRate, noiseMultiplier, order));
    }

    /// <summary>
    /// Steps of the Skellam mechanism (Agarwal, Kairouz and Liu 2021, arXiv 2110.04995, theorem 3.5) without amplification by sampling:
    /// r(α) = αΔ₂²/2μ + min(((2α − 1)Δ₂² + 6Δ₁)/4μ², 3Δ₁/2μ).
    /// </summary>
    /// <param name="l1">Δ₁: greatest L1 norm of one unit's part, in units of the ring.</param>
    /// <param name="l2">Δ₂: greatest L2 norm, in units of the ring.</param>
    /// <param name="variance">μ of the noise on the sum, in units of the ring squared.</param>
    /// <param name="steps">At least 0.</param>
    public void AddSkellam(double l1, double l2, double variance, int steps)
    {
        RequirePositive(l1, nameof(l1));
        RequirePositive(l2, nameof(l2));
        RequirePositive(variance, nameof(variance));
        Add(steps, order => Skellam(l1, l2, variance, order));
    }

    /// <summary>Adds everything that another accountant has spent, several times over: rounds of one kind, or mechanisms run together.</summary>
    /// <param name="other">What is added.</param>
    /// <param name="times">At least 0.</param>
    public void Add(RdpAccountant other, int times)
    {
        ArgumentNullException.ThrowIfNull(other);
        Add(times, order => other._spent[order - MinOrder]);
    }

    /// <summary>The dearer of both at every order: a bound for rounds that cost now the one, now the other.</summary>
    public static RdpAccountant Dearer(RdpAccountant a, RdpAccountant b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Of([.. a._spent.Zip(b._spent, Math.Max)]);
    }

    /// <summary>An accountant that goes on from <see cref="ByOrder"/>.</summary>
    /// <param name="byOrder">r(α) for the orders 2 to <see cref="MaxOrder"/>.</param>
    public static RdpAccountant Of(IReadOnlyList<double> byOrder)
    {
        ArgumentNullException.ThrowIfNull(byOrder);
        RdpAccountant accountant = new();
        if (byOrder.Count != accountant._spent.Length)
        {
            throw new ArgumentException($"There are {byOrder.Count} orders, an accountant has {accountant._spent.Length}.", nameof(byOrder));
        }

        for (int i = 0; i < byOrder.Count; i++)
        {
            accountant._spent[i] = byOrder[i];
        }

        return accountant;
    }

    /// <summary>r(α) for the orders 2 to <see cref="MaxOrder"/>.</summary>
    public IReadOnlyList<double> ByOrder => _spent;

    /// <summary>What has been spent, as the least ε for a δ, and the order that gives it.</summary>
    /// <param name="delta">δ in (0, 1).</param>
    public (double Epsilon, int Order) Spent(double delta)
    {
        if (!(delta is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(delta), delta, "δ lies between 0 and 1.");
        }

        (double Epsilon, int Order) best = (double.PositiveInfinity, MinOrder);
        for (int order = MinOrder; order <= MaxOrder; order++)
        {
            double epsilon = _spent[order - MinOrder] + Math.Log(1 - (1.0 / order)) - (Math.Log(delta * order) / (order - 1));
            if (epsilon < best.Epsilon)
            {
                best = (epsilon, order);
            }
        }

        return best with { Epsilon = Math.Max(0, best.Epsilon) };
    }

    internal static double Skellam(double l1, double l2, double variance, int order)
    {
        double square = l2 * l2;
        double correction = Math.Min(
            ((((2 * order) - 1) * square) + (6 * l1)) / (4 * variance * variance),
            3 * l1 / (2 * variance));
        return (order * square / (2 * variance)) + correction;
    }

    // log Σ C(α, k)(1 − q)^(α − k) q^k exp((k² − k)/2z²), over α − 1.
    private static double SampledGaussian(double rate, double multiplier, int order)
    {
        double twice = 2 * multiplier * multiplier;
        if (rate == 1)
        {
            return order / twice;
        }

        double logChoose = 0;
        double sum = double.NegativeInfinity;
        for (int k = 0; k <= order; k++)
        {
            double term = logChoose + ((order - k) * Math.Log(1 - rate)) + (k * Math.Log(rate)) + (((double)k * k) - k) / twice;
            sum = LogAdd(sum, term);
            logChoose += Math.Log(order - k) - Math.Log(k + 1);
        }

        return sum / (order - 1);
    }

    private static double LogAdd(double a, double b)
    {
        double high = Math.Max(a, b);
        return high + Math.Log(Math.Exp(a - high) + Math.Exp(b - high));
    }

    private static void RequirePositive(double value, string name)
    {
        if (!(value > 0 && double.IsFinite(value)))
        {
            throw new ArgumentOutOfRangeException(name, value, "The value is positive and finite.");
        }
    }

    private void Add(int steps, Func<int, double> cost)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        for (int order = MinOrder; order <= MaxOrder; order++)
        {
            _spent[order - MinOrder] += steps * cost(order);
        }
    }
}
