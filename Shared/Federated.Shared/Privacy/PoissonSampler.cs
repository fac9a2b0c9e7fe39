using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Privacy;

/// <summary>
/// Poisson variables: by multiplication of uniforms for small means (Knuth), else by transformed rejection with a squeeze (Hörmann 1993,
/// "The transformed rejection method for generating Poisson random variables", algorithm PTRS). Immutable and thread-safe.
/// </summary>
public sealed class PoissonSampler
{
    private const double SmallMean = 10;

    private readonly double _mean;
    private readonly double _logMean;
    private readonly double _b;
    private readonly double _a;
    private readonly double _inverseAlpha;
    private readonly double _vr;

    /// <summary>A sampler for a mean of at least 0.</summary>
    public PoissonSampler(double mean)
    {
        if (!(mean >= 0 && mean <= 1e12))
        {
            throw new ArgumentOutOfRangeException(nameof(mean), mean, "A Poisson mean is 0 to 1e12.");
        }

        _mean = mean;
        _logMean = Math.Log(mean);
        _b = 0.931 + (2.53 * Math.Sqrt(mean));
        _a = -0.059 + (0.02483 * _b);
        _inverseAlpha = 1.1239 + (1.1328 / (_b - 3.4));
        _vr = 0.9277 - (3.6224 / (_b - 2));
    }

    /// <summary>A sample.</summary>
    public long Next(KeyedGenerator random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return _mean < SmallMean ? NextSmall(random) : NextLarge(random);
    }

    private long NextSmall(KeyedGenerator random)
    {
        double limit = Math.Exp(-_mean);
        double product = random.NextDouble();
        long count = 0;
        while (product > limit)
        {
            product *= random.NextDouble();
            count++;
        }

        return count;
    }

    private long NextLarge(KeyedGenerator random)
    {
        while (true)
        {
            double u = random.NextDouble() - 0.5;
            double v = random.NextDouble();
            double us = 0.5 - Math.Abs(u);
            double k = Math.Floor((((2 * _a / us) + _b) * u) + _mean + 0.43);
            if (us >= 0.07 && v <= _vr)
            {
                return (long)k;
            }

            if (k < 0 || (us < 0.013 && v > us))
            {
                continue;
            }

            double left = Math.Log(v * _inverseAlpha / ((_a / (us * us)) + _b));
            if (left <= (k * _logMean) - _mean - LogFactorial(k))
            {
                return (long)k;
            }
        }
    }

    // Stirling's series; below ten the product itself.
    private static double LogFactorial(double k)
    {
        if (k < 10)
        {
            double sum = 0;
            for (int i = 2; i <= (int)k; i++)
            {
                sum += Math.Log(i);
            }

            return sum;
        }

        double n = k + 1;
        double inverse = 1 / n;
        double square = inverse * inverse;
        return ((n - 0.5) * Math.Log(n)) - n + (0.5 * Math.Log(2 * Math.PI))
            + (inverse * ((1.0 / 12) - (square * ((1.0 / 360) - (square / 1260)))));
    }
}
