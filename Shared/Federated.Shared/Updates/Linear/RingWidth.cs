using System.Numerics;
using Federated.Shared.Updates.Bits;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// How wide a field must be so that the sum of n clients' values does not wrap. Two bounds, of which the lesser suffices:
/// <list type="bullet">
/// <item>No wrap at all: values of m bits (sign included) need b ≥ m + ⌈log₂ n⌉.</item>
/// <item>Probabilistic: after the rotation a coordinate of the sum has a standard deviation of at most √(ρC²n²/k′ + n(γ²/4 + σ²)), and 2^b
/// levels of γ must hold ±K of them: 2^b ≥ (2K/γ)·√(…) (Kairouz et al. 2021, arXiv 2102.06387, section 4). C is the clip norm, k′ the
/// padded length over which <see cref="BlockDeal"/> and rotation spread C², ρ how much more than its share a block may have, σ noise that
/// clients add.</item>
/// </list>
/// A coordinate beyond the bound is not wrapped: clients keep to <see cref="Limit"/> and count what they limit.
/// </summary>
public static class RingWidth
{
    /// <summary>K: the probability that a coordinate of a sum of aligned clients is beyond is below 2·exp(−K²/2) = 0.07 %.</summary>
    public const double Deviations = 4;

    /// <summary>
    /// ρ: energy of the fullest rotation block over its fair share. Dealing spreads every tensor over all blocks, so that 1 is usual; 2 leaves
    /// room for few large coordinates.
    /// </summary>
    public const double BlockSpread = 2;

    /// <summary>m: bits of a value of at most C/γ levels after rounding up, sign included.</summary>
    /// <exception cref="ArgumentOutOfRangeException">C or γ is not positive.</exception>
    public static int ValueBits(double clipNorm, double step)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clipNorm);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(step);

        // The rotation is orthogonal, so no coordinate exceeds the norm. Levels −L to L need ⌈log₂(2L + 1)⌉ bits.
        double levels = Math.Ceiling(clipNorm / step) + 1;
        return (int)Math.Min(64, Math.Ceiling(Math.Log2((2 * levels) + 1)));
    }

    /// <summary>Least b for m-bit values of n clients.</summary>
    public static int NoWrap(int valueBits, int clients)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(valueBits);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clients);
        return valueBits + BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)clients));
    }

    /// <summary>Least b of the probabilistic bound.</summary>
    /// <param name="clipNorm">C.</param>
    /// <param name="step">γ.</param>
    /// <param name="paddedLength">k′.</param>
    /// <param name="clients">n.</param>
    /// <param name="noiseDeviation">σ, in the unit of the values; 0 for none.</param>
    public static int Probabilistic(double clipNorm, double step, int paddedLength, int clients, double noiseDeviation = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(step);
        double variance = (BlockSpread * clipNorm * clipNorm * clients * clients / paddedLength)
            + (clients * ((step * step / 4) + (noiseDeviation * noiseDeviation)));
        return (int)Math.Ceiling(Math.Log2(2 * Deviations / step * Math.Sqrt(variance)));
    }

    /// <summary>The lesser of both bounds.</summary>
    public static int Least(double clipNorm, double step, int paddedLength, int clients, double noiseDeviation = 0) => Math.Min(
        NoWrap(ValueBits(clipNorm + noiseDeviation, step), clients), Probabilistic(clipNorm, step, paddedLength, clients, noiseDeviation));

    /// <summary>The finest γ that the probabilistic bound allows for fields of b bits.</summary>
    /// <exception cref="ArgumentException">Fields of b bits cannot hold n clients, however coarse the step.</exception>
    public static double FinestStep(int widthBits, double clipNorm, int paddedLength, int clients)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clipNorm);
        double room = Math.Pow(Math.ScaleB(1, widthBits) / (2 * Deviations), 2) - (clients / 4.0);
        return room > 0 && Limit(widthBits, clients) >= 1
            ? clipNorm * clients * Math.Sqrt(BlockSpread / (paddedLength * room)) * (1 + 1e-9)
            : throw new ArgumentException(
                $"Fields of {widthBits} bits cannot hold the rounding of {clients} clients; take more bits or smaller groups.", nameof(widthBits));
    }

    /// <summary>L: what every client keeps its values to, so that the sum of n cannot leave b bits.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The width is not 2 to 32.</exception>
    public static int Limit(int widthBits, int clients)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(widthBits, FieldPacking.MinWidthBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(widthBits, FieldPacking.MaxWidthBits);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clients);
        return (int)Math.Min(1 << 30, ((1L << (widthBits - 1)) - 1) / clients);
    }
}
