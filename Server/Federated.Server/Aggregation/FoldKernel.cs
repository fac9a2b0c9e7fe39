using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Server.Aggregation;

/// <summary>
/// The inner loop of <see cref="RunningSum"/>: sums[i] += round(u[i]·s) for up to four updates at a time, so that a sum is
/// loaded and stored once for four additions.
/// <para>
/// A float64 y with |y| ≤ 2^51 is rounded to the nearest integer (ties to even) by adding M = 2^52 + 2^51: y + M lies in
/// [2^52, 2^53], where neighbours are one apart, so its bits are those of M plus the integer. Raw bits are therefore added
/// and M's are taken off once per group. All of it is modular in 64 bits, hence unchecked; the caller's bound of 2^62 on the true
/// sums makes the result exact. u·s is exact in float64 (24 + 24 significant bits), so fused and separate
/// multiply-add agree and every path gives the same integers.
/// </para>
/// </summary>
internal static class FoldKernel
{
    /// <summary>2^52 + 2^51.</summary>
    private const double Magic = 6755399441055744.0;

    private const long MagicBits = 0x4338_0000_0000_0000;

    /// <summary>Updates that <see cref="AddFour"/> takes at once.</summary>
    public const int GroupSize = 4;

    /// <summary>Adds one update's block: sums and values cover the same parameters.</summary>
    /// <param name="sums">[n].</param>
    /// <param name="values">4·n bytes of little-endian float32.</param>
    /// <param name="scale">Weight times 2^28.</param>
    public static void AddOne(Span<long> sums, ReadOnlySpan<byte> values, double scale)
    {
        ref long sum = ref MemoryMarshal.GetReference(sums);
        ref byte a = ref MemoryMarshal.GetReference(values[..(sums.Length * sizeof(float))]);
        int i = 0;
        unchecked
        {
            if (Vector512.IsHardwareAccelerated)
            {
                Vector512<double> s = Vector512.Create(scale);
                Vector512<long> correction = Vector512.Create(MagicBits);
                for (; i <= sums.Length - Vector512<long>.Count; i += Vector512<long>.Count)
                {
                    Vector512<long> total = Vector512.LoadUnsafe(ref sum, (nuint)i) - correction + Bits512(ref a, i, s);
                    total.StoreUnsafe(ref sum, (nuint)i);
                }
            }
            else if (Vector256.IsHardwareAccelerated)
            {
                Vector256<double> s = Vector256.Create(scale);
                Vector256<long> correction = Vector256.Create(MagicBits);
                for (; i <= sums.Length - Vector256<long>.Count; i += Vector256<long>.Count)
                {
                    Vector256<long> total = Vector256.LoadUnsafe(ref sum, (nuint)i) - correction + Bits256(ref a, i, s);
                    total.StoreUnsafe(ref sum, (nuint)i);
                }
            }

            for (; i < sums.Length; i++)
            {
                Unsafe.Add(ref sum, i) += Bits(ref a, i, scale) - MagicBits;
            }
        }
    }

    /// <summary>Adds the same block of four updates; the result is that of four times <see cref="AddOne"/>.</summary>
    public static void AddFour(
        Span<long> sums,
        ReadOnlySpan<byte> valuesA,
        ReadOnlySpan<byte> valuesB,
        ReadOnlySpan<byte> valuesC,
        ReadOnlySpan<byte> valuesD,
        ReadOnlySpan<double> scales)
    {
        int bytes = sums.Length * sizeof(float);
        ref long sum = ref MemoryMarshal.GetReference(sums);
        ref byte a = ref MemoryMarshal.GetReference(valuesA[..bytes]);
        ref byte b = ref MemoryMarshal.GetReference(valuesB[..bytes]);
        ref byte c = ref MemoryMarshal.GetReference(valuesC[..bytes]);
        ref byte d = ref MemoryMarshal.GetReference(valuesD[..bytes]);
        int i = 0;
        unchecked
        {
            const long FourMagic = GroupSize * MagicBits;
            if (Vector512.IsHardwareAccelerated)
            {
                Vector512<double> sa = Vector512.Create(scales[0]);
                Vector512<double> sb = Vector512.Create(scales[1]);
                Vector512<double> sc = Vector512.Create(scales[2]);
                Vector512<double> sd = Vector512.Create(scales[3]);
                Vector512<long> correction = Vector512.Create(FourMagic);
                for (; i <= sums.Length - Vector512<long>.Count; i += Vector512<long>.Count)
                {
                    Vector512<long> left = Bits512(ref a, i, sa) + Bits512(ref b, i, sb);
                    Vector512<long> right = Bits512(ref c, i, sc) + Bits512(ref d, i, sd);
                    Vector512<long> total = Vector512.LoadUnsafe(ref sum, (nuint)i) - correction + (left + right);
                    total.StoreUnsafe(ref sum, (nuint)i);
                }
            }
            else if (Vector256.IsHardwareAccelerated)
            {
                Vector256<double> sa = Vector256.Create(scales[0]);
                Vector256<double> sb = Vector256.Create(scales[1]);
                Vector256<double> sc = Vector256.Create(scales[2]);
                Vector256<double> sd = Vector256.Create(scales[3]);
                Vector256<long> correction = Vector256.Create(FourMagic);
                for (; i <= sums.Length - Vector256<long>.Count; i += Vector256<long>.Count)
                {
                    Vector256<long> left = Bits256(ref a, i, sa) + Bits256(ref b, i, sb);
                    Vector256<long> right = Bits256(ref c, i, sc) + Bits256(ref d, i, sd);
                    Vector256<long> total = Vector256.LoadUnsafe(ref sum, (nuint)i) - correction + (left + right);
                    total.StoreUnsafe(ref sum, (nuint)i);
                }
            }

            for (; i < sums.Length; i++)
            {
                Unsafe.Add(ref sum, i) += Bits(ref a, i, scales[0]) + Bits(ref b, i, scales[1]) + Bits(ref c, i, scales[2])
                    + Bits(ref d, i, scales[3]) - FourMagic;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<long> Bits512(ref byte values, int index, Vector512<double> scale)
    {
        Vector256<float> x = Unsafe.ReadUnaligned<Vector256<float>>(ref Unsafe.Add(ref values, (nuint)(uint)index * sizeof(float)));
        Vector512<double> wide = Vector512.WidenLower(x.ToVector512Unsafe());
        return Vector512.MultiplyAddEstimate(wide, scale, Vector512.Create(Magic)).AsInt64();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<long> Bits256(ref byte values, int index, Vector256<double> scale)
    {
        Vector128<float> x = Unsafe.ReadUnaligned<Vector128<float>>(ref Unsafe.Add(ref values, (nuint)(uint)index * sizeof(float)));
        Vector256<double> wide = Vector256.WidenLower(x.ToVector256Unsafe());
        return Vector256.MultiplyAddEstimate(wide, scale, Vector256.Create(Magic)).AsInt64();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Bits(ref byte values, int index, double scale)
    {
        float x = Unsafe.ReadUnaligned<float>(ref Unsafe.Add(ref values, (nuint)(uint)index * sizeof(float)));
        return BitConverter.DoubleToInt64Bits((x * scale) + Magic);
    }
}
