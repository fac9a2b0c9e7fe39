using System.Numerics;
using Federated.Shared.Randomness;

namespace Federated.Shared.Updates.Indices;

/// <summary>
/// Uniformly random subsets of a given size: numbers below P are drawn until k different ones have come, or P − k different ones that
/// are left out, whichever is fewer. They are marked in a bitmap of P bits, which also sorts them.
/// </summary>
internal static class RandomIndices
{
    private const string Purpose = "index-set";

    /// <summary>Draws k of P.</summary>
    /// <exception cref="ArgumentOutOfRangeException">k is not 1 to P.</exception>
    public static IndexSet Draw(ulong seed, int parameterCount, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, parameterCount);
        bool complement = count > parameterCount / 2;
        ulong[] marks = new ulong[(parameterCount + 63) / 64];
        Mark(marks, SeededGenerator.For(seed, Purpose), parameterCount, complement ? parameterCount - count : count);

        int[] indices = new int[count];
        int found = 0;
        for (int word = 0; word < marks.Length; word++)
        {
            ulong bits = complement ? ~marks[word] : marks[word];
            while (bits != 0 && found < count)
            {
                indices[found++] = (64 * word) + BitOperations.TrailingZeroCount(bits);
                bits &= bits - 1;
            }
        }

        return new IndexSet(parameterCount, indices);
    }

    private static void Mark(ulong[] marks, SeededGenerator generator, int parameterCount, int count)
    {
        while (count > 0)
        {
            int index = generator.NextInt(parameterCount);
            ref ulong word = ref marks[index >> 6];
            ulong bit = 1UL << (index & 63);
            count -= (word & bit) == 0 ? 1 : 0;
            word |= bit;
        }
    }
}
