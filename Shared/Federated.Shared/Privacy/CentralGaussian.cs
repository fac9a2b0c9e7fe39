using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Privacy;

/// <summary>
/// Noise that the server adds to a sum of clipped updates: independent N(0, z²C²) in every coordinate (McMahan et al. 2018, arXiv
/// 1710.06963). It protects what is published, not what the server sees. Samples are doubles; that attacks on the lowest bits of
/// floating-point noise (Mironov 2012) are not defended against is why noise of clients is whole-numbered (<see
/// cref="DistributedSkellam"/>).
/// </summary>
public static class CentralGaussian
{
    /// <summary>Adds the noise: [P].</summary>
    /// <param name="sum">Sum of updates of L2 norm at most <paramref name="clipNorm"/> each.</param>
    /// <param name="noiseMultiplier">z.</param>
    /// <param name="clipNorm">C.</param>
    /// <param name="random">Where the noise comes from.</param>
    public static void AddTo(Span<float> sum, double noiseMultiplier, double clipNorm, KeyedGenerator random)
    {
        ArgumentNullException.ThrowIfNull(random);
        double deviation = noiseMultiplier * clipNorm;
        for (int i = 0; i < sum.Length; i++)
        {
            sum[i] += (float)(deviation * random.NextGaussian());
        }
    }
}
