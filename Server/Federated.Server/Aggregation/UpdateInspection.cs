using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Server.Aggregation;

/// <summary>
/// One pass over an update: its largest magnitude, its squared norm and whether it is finite. Magnitudes are compared as
/// integers: with the sign bit cleared, the bits of float32 order like the numbers, and infinities and NaN come last.
/// </summary>
internal static class UpdateInspection
{
    private const uint MagnitudeMask = 0x7FFF_FFFF;
    private const int Lanes = 16;

    /// <summary>Bits of the largest magnitude; from 0x7F800000 on the update is not finite.</summary>
    /// <param name="update">[P].</param>
    /// <param name="sumOfSquares">
    /// Σu² in float64, summed in 16 lanes whatever the processor, so that it is the same everywhere. The squares are exact
    /// (48 of 53 bits), so a fused multiply-add changes nothing.
    /// </param>
    public static uint Scan(ReadOnlySpan<float> update, out double sumOfSquares)
    {
        ref float first = ref MemoryMarshal.GetReference(update);
        int blocked = update.Length - (update.Length % Lanes);
        Span<double> lanes = stackalloc double[Lanes];
        uint largest = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            largest = Scan512(ref first, blocked, lanes);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            largest = Scan256(ref first, blocked, lanes);
        }
        else
        {
            blocked = 0;
        }

        for (int i = blocked; i < update.Length; i++)
        {
            double value = update[i];
            lanes[i % Lanes] += value * value;
            largest = Math.Max(largest, BitConverter.SingleToUInt32Bits(update[i]) & MagnitudeMask);
        }

        sumOfSquares = 0;
        foreach (double lane in lanes)
        {
            sumOfSquares += lane;
        }

        return largest;
    }

    private static uint Scan512(ref float first, int count, Span<double> lanes)
    {
        Vector512<uint> mask = Vector512.Create(MagnitudeMask);
        Vector512<uint> largest = Vector512<uint>.Zero;
        Vector512<double> low = Vector512<double>.Zero;
        Vector512<double> high = Vector512<double>.Zero;
        for (int i = 0; i < count; i += Lanes)
        {
            Vector512<float> values = Vector512.LoadUnsafe(ref first, (nuint)i);
            largest = Vector512.Max(largest, values.AsUInt32() & mask);
            (Vector512<double> a, Vector512<double> b) = Vector512.Widen(values);
            low = Vector512.MultiplyAddEstimate(a, a, low);
            high = Vector512.MultiplyAddEstimate(b, b, high);
        }

        low.CopyTo(lanes);
        high.CopyTo(lanes[Vector512<double>.Count..]);
        return Largest(largest);
    }

    private static uint Scan256(ref float first, int count, Span<double> lanes)
    {
        Vector256<uint> mask = Vector256.Create(MagnitudeMask);
        Vector256<uint> largest = Vector256<uint>.Zero;
        Vector256<double> s0 = Vector256<double>.Zero;
        Vector256<double> s1 = Vector256<double>.Zero;
        Vector256<double> s2 = Vector256<double>.Zero;
        Vector256<double> s3 = Vector256<double>.Zero;
        for (int i = 0; i < count; i += Lanes)
        {
            Vector256<float> left = Vector256.LoadUnsafe(ref first, (nuint)i);
            Vector256<float> right = Vector256.LoadUnsafe(ref first, (nuint)i + (nuint)Vector256<float>.Count);
            largest = Vector256.Max(largest, Vector256.Max(left.AsUInt32() & mask, right.AsUInt32() & mask));
            (Vector256<double> a, Vector256<double> b) = Vector256.Widen(left);
            (Vector256<double> c, Vector256<double> d) = Vector256.Widen(right);
            s0 = Vector256.MultiplyAddEstimate(a, a, s0);
            s1 = Vector256.MultiplyAddEstimate(b, b, s1);
            s2 = Vector256.MultiplyAddEstimate(c, c, s2);
            s3 = Vector256.MultiplyAddEstimate(d, d, s3);
        }

        s0.CopyTo(lanes);
        s1.CopyTo(lanes[4..]);
        s2.CopyTo(lanes[8..]);
        s3.CopyTo(lanes[12..]);
        return Math.Max(Largest(largest.GetLower()), Largest(largest.GetUpper()));
    }

    private static uint Largest(Vector512<uint> values) => Math.Max(
        Math.Max(Largest(values.GetLower().GetLower()), Largest(values.GetLower().GetUpper())),
        Math.Max(Largest(values.GetUpper().GetLower()), Largest(values.GetUpper().GetUpper())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Largest(Vector128<uint> values) =>
        Math.Max(Math.Max(values[0], values[1]), Math.Max(values[2], values[3]));
}
