using System.Numerics;

namespace Federated.Training.Data;

/// <summary>Bytes to [0, 1], a vector at a time: a training step of a small model leaves only microseconds for this.</summary>
internal static class PixelScaling
{
    private const float Scale = 255f;

    /// <summary>destination[i] = source[i] / 255, correctly rounded; both of one length.</summary>
    public static void ToUnitInterval(ReadOnlySpan<byte> source, Span<float> destination)
    {
        // Bounds: i stays within source.Length, and a byte widened to 32 bits is never negative.
        unchecked
        {
            destination = destination[..source.Length];
            int i = 0;
            if (Vector.IsHardwareAccelerated)
            {
                Vector<float> scale = new(Scale);
                int floats = Vector<float>.Count;
                for (; i <= source.Length - Vector<byte>.Count; i += Vector<byte>.Count)
                {
                    Vector.Widen(new Vector<byte>(source[i..]), out Vector<ushort> low, out Vector<ushort> high);
                    Vector.Widen(low, out Vector<uint> first, out Vector<uint> second);
                    Vector.Widen(high, out Vector<uint> third, out Vector<uint> fourth);
                    Span<float> target = destination.Slice(i, Vector<byte>.Count);
                    (Vector.ConvertToSingle(first.As<uint, int>()) / scale).CopyTo(target);
                    (Vector.ConvertToSingle(second.As<uint, int>()) / scale).CopyTo(target[floats..]);
                    (Vector.ConvertToSingle(third.As<uint, int>()) / scale).CopyTo(target[(2 * floats)..]);
                    (Vector.ConvertToSingle(fourth.As<uint, int>()) / scale).CopyTo(target[(3 * floats)..]);
                }
            }

            for (; i < source.Length; i++)
            {
                destination[i] = source[i] / Scale;
            }
        }
    }
}
