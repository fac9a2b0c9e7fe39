using System.Numerics;
using Federated.Shared.Updates.Bits;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// A whole number, such as an example count, as further fields of the same ring, so that it is summed (and masked) like everything else:
/// digits to the base 2^d, the lowest first, d = b − ⌈log₂ n⌉ being what n digits can be summed in without wrapping. The sum of the digits,
/// read to the same base, is the exact sum of the numbers.
/// </summary>
public static class RingScalar
{
    /// <summary>Fields for a number of so many bits.</summary>
    /// <exception cref="ArgumentException">Fields of b bits cannot sum a digit of n clients.</exception>
    public static int FieldCount(int bits, int widthBits, int clients)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bits);
        int digit = DigitBits(widthBits, clients);
        return (bits + digit - 1) / digit;
    }

    /// <summary>Writes the digits: exactly <see cref="FieldCount"/> fields.</summary>
    /// <exception cref="ArgumentException">The number needs more digits than there are fields.</exception>
    public static void Write(ulong value, int widthBits, int clients, Span<uint> fields)
    {
        int digit = DigitBits(widthBits, clients);
        ulong rest = value;
        foreach (ref uint field in fields)
        {
            field = (uint)(rest & FieldPacking.Mask(digit));
            rest >>= digit;
        }

        if (rest != 0)
        {
            throw new ArgumentException($"{value} does not fit {fields.Length} digits of {digit} bits.", nameof(value));
        }
    }

    /// <summary>Reads the sum of numbers from the sums of their digits, which may be of more than n clients when groups were added.</summary>
    public static long ReadSum(ReadOnlySpan<long> sums, int widthBits, int clients)
    {
        int digit = DigitBits(widthBits, clients);
        long value = 0;
        for (int i = sums.Length - 1; i >= 0; i--)
        {
            value = checked((value << digit) + sums[i]);
        }

        return value;
    }

    private static int DigitBits(int widthBits, int clients)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clients);
        int digit = Math.Min(widthBits, FieldPacking.MaxWidthBits) - BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)clients));
        return digit >= 1
            ? digit
            : throw new ArgumentException($"Fields of {widthBits} bits cannot sum a digit of {clients} clients; take more bits or smaller groups.", nameof(widthBits));
    }
}
