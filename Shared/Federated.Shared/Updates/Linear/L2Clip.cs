using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// Scales a vector down to an L2 norm of at most C: v·min(1, C/‖v‖₂). Its server half is nothing: what was cut off stays cut off.
/// </summary>
public static class L2Clip
{
    /// <summary>The norm, summed in float64 in eight lanes whatever the processor, so that it is the same everywhere.</summary>
    /// <param name="vector">[n].</param>
    public static double Norm(ReadOnlySpan<float> vector)
    {
        ref float first = ref MemoryMarshal.GetReference(vector);
        Vector256<double> low = Vector256<double>.Zero;
        Vector256<double> high = Vector256<double>.Zero;
        int i = 0;
        for (; i <= vector.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            // Squares of float32 are exact in float64, so a fused multiply-add changes nothing.
            (Vector256<double> a, Vector256<double> b) = Vector256.Widen(Vector256.LoadUnsafe(ref first, (nuint)i));
            low += a * a;
            high += b * b;
        }

        double sum = 0;
        for (int lane = 0; lane < Vector256<double>.Count; lane++)
        {
            sum += low[lane] + high[lane];
        }

        for (; i < vector.Length; i++)
        {
            sum += (double)vector[i] * vector[i];
        }

        return Math.Sqrt(sum);
    }

    /// <summary>Clips in place.</summary>
    /// <param name="vector">[n], finite.</param>
    /// <param name="clipNorm">C, above 0.</param>
    /// <returns>The norm before, and the factor: 1 when nothing was cut off.</returns>
    /// <exception cref="ArgumentOutOfRangeException">C is not positive.</exception>
    public static (double Norm, double Factor) Apply(Span<float> vector, double clipNorm)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clipNorm);
        double norm = Norm(vector);
        double factor = norm > clipNorm ? clipNorm / norm : 1;
        if (factor < 1)
        {
            TensorPrimitives.Multiply(vector, (float)factor, vector);
        }

        return (norm, factor);
    }
}
