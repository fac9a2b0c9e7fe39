using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Shared.Updates.Indices;

/// <summary>
/// The k largest magnitudes of a vector. With the sign bit cleared, the bits of float32 order like the numbers; the k-th largest is found
/// digit by digit (11, 10 and 10 bits) from histograms, and a last pass collects. Linear in P whatever the values; allocates nothing.
/// </summary>
public static class TopKSelection
{
    private const uint MagnitudeMask = 0x7FFF_FFFF;
    private const int FirstDigitShift = 20;
    private const int DigitBits = 10;
    private const int FirstDigits = 1 << 11;
    private const int Digits = 1 << DigitBits;

    /// <summary>
    /// Writes the indices of the k largest magnitudes in ascending order. Of equal magnitudes the lower indices are taken; zeros never are.
    /// </summary>
    /// <param name="vector">[P]. NaN counts as larger than every number.</param>
    /// <param name="count">k, 1 to P.</param>
    /// <param name="indices">At least k elements.</param>
    /// <returns>Indices written: k, or fewer when fewer elements are not zero.</returns>
    /// <exception cref="ArgumentOutOfRangeException">k is not 1 to P.</exception>
    /// <exception cref="ArgumentException">There is no room for k indices.</exception>
    public static int Select(ReadOnlySpan<float> vector, int count, Span<int> indices)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, vector.Length);
        if (indices.Length < count)
        {
            throw new ArgumentException($"There is room for {indices.Length} indices, {count} are wanted.", nameof(indices));
        }

        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(vector);
        (uint threshold, int ties) = Threshold(bits, count);
        return threshold == 0 ? Collect(bits, 0, 0, indices) : Collect(bits, threshold, ties, indices);
    }

    /// <summary>The k-th largest magnitude's bits, and how many of the elements equal to it belong to the k largest.</summary>
    private static (uint Magnitude, int Ties) Threshold(ReadOnlySpan<uint> bits, int count)
    {
        // Two halves, so that neighbours with the same digit do not wait for each other's store.
        Span<int> counts = stackalloc int[2 * FirstDigits];
        counts.Clear();
        unchecked
        {
            int i = 0;
            for (; i < bits.Length - 1; i += 2)
            {
                counts[(int)((bits[i] & MagnitudeMask) >> FirstDigitShift)]++;
                counts[FirstDigits + (int)((bits[i + 1] & MagnitudeMask) >> FirstDigitShift)]++;
            }

            if (i < bits.Length)
            {
                counts[(int)((bits[i] & MagnitudeMask) >> FirstDigitShift)]++;
            }
        }

        for (int digit = 0; digit < FirstDigits; digit++)
        {
            counts[digit] += counts[FirstDigits + digit];
        }

        uint prefix = Descend(counts[..FirstDigits], ref count);
        for (int shift = FirstDigitShift - DigitBits; shift >= 0; shift -= DigitBits)
        {
            Span<int> digits = counts[..Digits];
            digits.Clear();
            CountDigits(bits, prefix, shift, digits);
            prefix = (prefix << DigitBits) | Descend(digits, ref count);
        }

        return (prefix, count);
    }

    /// <summary>
    /// The digit in which the count-th largest lies; <paramref name="count"/> becomes its rank among those with this digit.
    /// </summary>
    private static uint Descend(ReadOnlySpan<int> counts, ref int count)
    {
        int digit = counts.Length - 1;
        while (counts[digit] < count)
        {
            count -= counts[digit--];
        }

        return (uint)digit;
    }

    private static void CountDigits(ReadOnlySpan<uint> bits, uint prefix, int shift, Span<int> counts)
    {
        ref uint first = ref MemoryMarshal.GetReference(bits);
        Vector256<uint> wanted = Vector256.Create(prefix);
        Vector256<uint> mask = Vector256.Create(MagnitudeMask);
        int i = 0;
        for (; i <= bits.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            Vector256<uint> magnitudes = Vector256.LoadUnsafe(ref first, (nuint)i) & mask;
            uint hits = Vector256.Equals(magnitudes >>> (shift + DigitBits), wanted).ExtractMostSignificantBits();
            for (; hits != 0; hits &= hits - 1)
            {
                Count(bits[i + BitOperations.TrailingZeroCount(hits)], shift, counts);
            }
        }

        for (; i < bits.Length; i++)
        {
            if ((bits[i] & MagnitudeMask) >> (shift + DigitBits) == prefix)
            {
                Count(bits[i], shift, counts);
            }
        }
    }

    private static void Count(uint bits, int shift, Span<int> counts) => counts[(int)((bits & MagnitudeMask) >> shift) & (Digits - 1)]++;

    private static int Collect(ReadOnlySpan<uint> bits, uint threshold, int ties, Span<int> indices)
    {
        // From the threshold on when some that equal it are wanted, above it otherwise.
        uint floor = ties > 0 ? threshold - 1 : threshold;
        ref uint first = ref MemoryMarshal.GetReference(bits);
        Vector256<int> floors = Vector256.Create((int)floor);
        Vector256<uint> mask = Vector256.Create(MagnitudeMask);
        int found = 0;
        int i = 0;
        for (; i <= bits.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            // Magnitudes are below 2^31, so that they compare as signed numbers.
            Vector256<int> magnitudes = (Vector256.LoadUnsafe(ref first, (nuint)i) & mask).AsInt32();
            uint hits = Vector256.GreaterThan(magnitudes, floors).ExtractMostSignificantBits();
            for (; hits != 0; hits &= hits - 1)
            {
                Take(bits, i + BitOperations.TrailingZeroCount(hits), threshold, ref ties, indices, ref found);
            }
        }

        for (; i < bits.Length; i++)
        {
            if ((bits[i] & MagnitudeMask) > floor)
            {
                Take(bits, i, threshold, ref ties, indices, ref found);
            }
        }

        return found;
    }

    private static void Take(ReadOnlySpan<uint> bits, int index, uint threshold, ref int ties, Span<int> indices, ref int found)
    {
        if ((bits[index] & MagnitudeMask) != threshold || ties-- > 0)
        {
            indices[found++] = index;
        }
    }
}
