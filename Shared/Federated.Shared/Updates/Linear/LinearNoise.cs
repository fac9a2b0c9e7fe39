using Federated.Shared.Privacy;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// Noise that every client of a round adds to its own fields, so that nobody sees a sum without it (<see cref="DistributedSkellam"/>). Beside
/// the coordinates it covers one number, whether the update was within the clip norm: that bit is −S or +S around a middle that nobody's noise
/// reaches, and all else that clients tell of themselves stays 0. In units of the ring. Immutable.
/// </summary>
/// <param name="Variance">μ/t of a client's part in every coordinate.</param>
/// <param name="BitVariance">The same for the bit; at least 1.</param>
public readonly record struct LinearNoise(double Variance, double BitVariance)
{
    /// <summary>S: what a bit moves its number by. Large enough that noise of a small deviation in clients is still near to normal.</summary>
    public const int BitScale = 8;

    /// <summary>
    /// Deviations of a client's noise that have room: beyond them noise is cut off, which δ does not count. How rarely follows from the variance μ: by
    /// the Chernoff bound 2·exp(−(x·asinh(x/μ) − √(x² + μ²) + μ)) of the Skellam tail at x = 12√μ less often than once in 2^38 fields for μ = 1, the
    /// least that the bit's has, in 2^55 for 4, in 2^90 for 64, and in 2^100 from 400 on. Both ends of the wire compute with it.
    /// </summary>
    public const double Reach = 12;

    /// <summary>Greatest variance; the deviation is then far beyond any field.</summary>
    public const double MaxVariance = 1e15;

    /// <summary>What a client's noise may move a coordinate by.</summary>
    public int CoordinateReach => (int)Math.Ceiling(Reach * Math.Sqrt(Variance));

    /// <summary>M: what a client's bit is counted from, so that with its noise it is never negative.</summary>
    public int BitMiddle => BitScale + (int)Math.Ceiling(Reach * Math.Sqrt(BitVariance));

    /// <summary>What is impossible about the noise, or null.</summary>
    public string? Problem() => Variance is > 0 and <= MaxVariance && BitVariance is >= 1 and <= MaxVariance
        ? null
        : $"Noise of variance {Variance}, {BitVariance} for the bit: both lie above 0 and at most {MaxVariance}, that of the bit is at least 1.";

    /// <summary>Clients within the clip norm, from the sum of their numbers. Noisy: it may be negative or exceed <paramref name="clients"/>.</summary>
    internal long ReadUnclipped(long sum, int clients) =>
        (long)Math.Round((((sum - ((double)clients * BitMiddle)) / BitScale) + clients) / 2);
}
