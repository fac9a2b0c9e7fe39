using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Federated.Shared.Randomness;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// The randomized Hadamard rotation y = H·diag(±1)·v/√B in blocks of B coordinates, B a power of two: it spreads a block's energy evenly
/// over its coordinates, so that a few large ones do not decide how coarsely all are quantized (Ailon and Chazelle 2009; Suresh et al.
/// 2017, arXiv 1611.00429, section 3). Orthogonal: norms stay, and <see cref="Invert"/> undoes it up to rounding. The signs are the
/// round's, drawn from its seed, the same for all clients, so that the rotation of a sum is the sum of the rotations. Elementwise additions
/// in a fixed order: the same bits everywhere.
/// </summary>
public static class HadamardRotation
{
    /// <summary>Smallest block.</summary>
    public const int MinBlock = 8;

    /// <summary>Largest block.</summary>
    public const int MaxBlock = 1 << 16;

    private const int PreferredBlock = 1 << 12;
    private const int MaxPaddingShare = 64;
    private const string Purpose = "rotation-signs";

    /// <summary>The block for k coordinates: the largest up to 4,096 that pads them by at most a 64th, or the smallest.</summary>
    public static int BlockFor(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        int block = PreferredBlock;
        while (block > MinBlock && PaddedLength(count, block) - count > count / MaxPaddingShare)
        {
            block >>= 1;
        }

        return block;
    }

    /// <summary>k′: k rounded up to whole blocks.</summary>
    public static int PaddedLength(int count, int block)
    {
        DemandBlock(block);
        return (int)(((long)count + block - 1) / block * block);
    }

    /// <summary>The client's half, in place.</summary>
    /// <param name="vector">[k′].</param>
    /// <param name="block">B, a power of two from 8 to 65,536 that divides k′.</param>
    /// <param name="seed">The round's seed.</param>
    /// <exception cref="ArgumentException">The block is impossible or does not divide the length.</exception>
    public static void Rotate(Span<float> vector, int block, ulong seed)
    {
        DemandBlocks(vector.Length, block);
        Sign(vector, 1 / MathF.Sqrt(block), seed);
        Transform(vector, block);
    }

    /// <summary>The server's half, in place: diag(±1)·H·y/√B.</summary>
    /// <inheritdoc cref="Rotate"/>
    public static void Invert(Span<float> vector, int block, ulong seed)
    {
        DemandBlocks(vector.Length, block);
        Transform(vector, block);
        Sign(vector, 1 / MathF.Sqrt(block), seed);
    }

    private static void Sign(Span<float> vector, float factor, ulong seed)
    {
        LaneGenerator signs = LaneGenerator.For(seed, Purpose);
        ref float first = ref MemoryMarshal.GetReference(vector);
        Vector256<float> scale = Vector256.Create(factor);
        for (int i = 0; i < vector.Length; i += LaneGenerator.Lanes)
        {
            Vector256<float> signed = (scale.AsUInt32() ^ signs.NextSigns()).AsSingle();
            (Vector256.LoadUnsafe(ref first, (nuint)i) * signed).StoreUnsafe(ref first, (nuint)i);
        }
    }

    private static void Transform(Span<float> vector, int block)
    {
        for (int start = 0; start < vector.Length; start += block)
        {
            Span<float> part = vector.Slice(start, block);
            WithinLanes(part);
            int half = LaneGenerator.Lanes;
            for (; half <= block / 4; half *= 4)
            {
                FourAtATime(part, half);
            }

            if (half <= block / 2)
            {
                TwoAtATime(part, half);
            }
        }
    }

    /// <summary>The butterflies of distance 1, 2 and 4: each lane plus or minus its partner.</summary>
    private static void WithinLanes(Span<float> part)
    {
        ref float first = ref MemoryMarshal.GetReference(part);
        Vector256<float> signs1 = Vector256.Create(1f, -1f, 1f, -1f, 1f, -1f, 1f, -1f);
        Vector256<float> signs2 = Vector256.Create(1f, 1f, -1f, -1f, 1f, 1f, -1f, -1f);
        Vector256<float> signs4 = Vector256.Create(1f, 1f, 1f, 1f, -1f, -1f, -1f, -1f);
        for (int i = 0; i < part.Length; i += Vector256<float>.Count)
        {
            Vector256<float> x = Vector256.LoadUnsafe(ref first, (nuint)i);
            x = (x * signs1) + Vector256.Shuffle(x, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));
            x = (x * signs2) + Vector256.Shuffle(x, Vector256.Create(2, 3, 0, 1, 6, 7, 4, 5));
            x = (x * signs4) + Vector256.Shuffle(x, Vector256.Create(4, 5, 6, 7, 0, 1, 2, 3));
            x.StoreUnsafe(ref first, (nuint)i);
        }
    }

    /// <summary>The butterflies of distance <paramref name="half"/>.</summary>
    private static void TwoAtATime(Span<float> part, int half)
    {
        for (int start = 0; start < part.Length; start += 2 * half)
        {
            ref float a = ref part[start];
            ref float b = ref part[start + half];
            for (nuint i = 0; i < (nuint)half; i += (nuint)Vector256<float>.Count)
            {
                Vector256<float> x = Vector256.LoadUnsafe(ref a, i);
                Vector256<float> y = Vector256.LoadUnsafe(ref b, i);
                (x + y).StoreUnsafe(ref a, i);
                (x - y).StoreUnsafe(ref b, i);
            }
        }
    }

    /// <summary>Those of distance <paramref name="quarter"/> and of twice as much in one pass over memory.</summary>
    private static void FourAtATime(Span<float> part, int quarter)
    {
        for (int start = 0; start < part.Length; start += 4 * quarter)
        {
            ref float a = ref part[start];
            ref float b = ref part[start + quarter];
            ref float c = ref part[start + (2 * quarter)];
            ref float d = ref part[start + (3 * quarter)];
            for (nuint i = 0; i < (nuint)quarter; i += (nuint)Vector256<float>.Count)
            {
                Vector256<float> w = Vector256.LoadUnsafe(ref a, i);
                Vector256<float> x = Vector256.LoadUnsafe(ref b, i);
                Vector256<float> y = Vector256.LoadUnsafe(ref c, i);
                Vector256<float> z = Vector256.LoadUnsafe(ref d, i);
                Vector256<float> wPlus = w + x;
                Vector256<float> wMinus = w - x;
                Vector256<float> yPlus = y + z;
                Vector256<float> yMinus = y - z;
                (wPlus + yPlus).StoreUnsafe(ref a, i);
                (wMinus + yMinus).StoreUnsafe(ref b, i);
                (wPlus - yPlus).StoreUnsafe(ref c, i);
                (wMinus - yMinus).StoreUnsafe(ref d, i);
            }
        }
    }

    private static void DemandBlock(int block)
    {
        if (!BitOperations.IsPow2(block) || block is < MinBlock or > MaxBlock)
        {
            throw new ArgumentOutOfRangeException(nameof(block), block, $"A block is a power of two from {MinBlock} to {MaxBlock}.");
        }
    }

    private static void DemandBlocks(int length, int block)
    {
        DemandBlock(block);
        if (length % block != 0)
        {
            throw new ArgumentException($"{length} coordinates are not whole blocks of {block}.", nameof(length));
        }
    }
}
