using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Bits;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// Unbiased stochastic quantization into the ring of integers modulo 2^b. The client's half: q = ⌊y/γ⌋, plus 1 with the probability of the
/// fraction, limited to −L to L, z = q mod 2^b. The server's half: the sum of the z modulo 2^b, centred around 0, times γ. With n clients
/// and L·n &lt; 2^(b − 1) no sum wraps, whatever the values; what a client had to limit is counted and never silent.
/// </summary>
public static class StochasticQuantizer
{
    // Beyond any limit, and where conversion to integers is exact.
    private const float Beyond = 1.5f * (1 << 30);

    /// <summary>The client's half.</summary>
    /// <param name="values">y: [n], finite, n a multiple of 8.</param>
    /// <param name="step">γ, above 0.</param>
    /// <param name="limit">L, at most 2^30.</param>
    /// <param name="dither">The client's own; not shared with anything else.</param>
    /// <param name="fields">z modulo 2^32, whose lowest b bits are z modulo 2^b: [n].</param>
    /// <returns>Values that the limit changed.</returns>
    /// <exception cref="ArgumentException">A length, step or limit is impossible.</exception>
    public static int Quantize(ReadOnlySpan<float> values, float step, int limit, LaneGenerator dither, Span<uint> fields)
    {
        ArgumentNullException.ThrowIfNull(dither);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(step);
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 1 << 30);
        Demand(values.Length, fields.Length);
        ref float first = ref MemoryMarshal.GetReference(values);
        ref uint target = ref MemoryMarshal.GetReference(fields);
        Vector256<float> steps = Vector256.Create(step);
        Vector256<int> least = Vector256.Create(-limit);
        Vector256<int> most = Vector256.Create(limit);
        int limited = 0;
        for (int i = 0; i < values.Length; i += LaneGenerator.Lanes)
        {
            Vector256<float> ratio = Vector256.LoadUnsafe(ref first, (nuint)i) / steps;

            // Comparing with the fraction, which is exact, and not rounding ratio + dither, which is not.
            Vector256<float> floor = Vector256.Floor(ratio);
            Vector256<int> up = Vector256.LessThan(dither.NextUnit(), ratio - floor).AsInt32();
            floor = Vector256.Min(Vector256.Max(floor, Vector256.Create(-Beyond)), Vector256.Create(Beyond));
            Vector256<int> level = Vector256.ConvertToInt32(floor) - up;
            Vector256<int> kept = Vector256.Min(Vector256.Max(level, least), most);
            limited += BitOperations.PopCount((~Vector256.Equals(level, kept)).ExtractMostSignificantBits());
            kept.AsUInt32().StoreUnsafe(ref target, (nuint)i);
        }

        return limited;
    }

    /// <summary>The server's half.</summary>
    /// <param name="sums">Σz modulo 2^b in the lowest b bits; the others are ignored: [n], n a multiple of 8.</param>
    /// <param name="widthBits">b, 2 to 32.</param>
    /// <param name="factor">γ, or γ times whatever else scales the sum.</param>
    /// <param name="values">[n].</param>
    /// <exception cref="ArgumentException">A length or the width is impossible.</exception>
    public static void Dequantize(ReadOnlySpan<uint> sums, int widthBits, float factor, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(widthBits, FieldPacking.MinWidthBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(widthBits, FieldPacking.MaxWidthBits);
        Demand(sums.Length, values.Length);
        ref uint first = ref MemoryMarshal.GetReference(sums);
        ref float target = ref MemoryMarshal.GetReference(values);
        int unused = 32 - widthBits;
        for (int i = 0; i < sums.Length; i += LaneGenerator.Lanes)
        {
            Vector256<int> centred = (Vector256.LoadUnsafe(ref first, (nuint)i).AsInt32() << unused) >> unused;
            (Vector256.ConvertToSingle(centred) * factor).StoreUnsafe(ref target, (nuint)i);
        }
    }

    private static void Demand(int source, int destination)
    {
        if (source != destination || source % LaneGenerator.Lanes != 0)
        {
            throw new ArgumentException($"{source} elements into {destination}: both are the same multiple of {LaneGenerator.Lanes}.", nameof(destination));
        }
    }
}
