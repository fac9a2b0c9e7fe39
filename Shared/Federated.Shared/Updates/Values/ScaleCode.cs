namespace Federated.Shared.Updates.Values;

/// <summary>
/// A scale in 2 bytes: the upper half of a float32 that is not negative (8 significant bits). A scale times an integer of at most 16 bits
/// is therefore exact in float32, on which the exactness of residuals rests.
/// </summary>
internal static class ScaleCode
{
    /// <summary>Largest magnitude that may be encoded, 2^100; a sane update is far below it.</summary>
    public const float MaxMagnitude = 1.2676506e30f;

    private const int LowerBits = 16;
    private const uint Lower = (1u << LowerBits) - 1;

    /// <summary>The least code whose scale is not below <paramref name="value"/>.</summary>
    /// <exception cref="ArgumentException">The value is NaN, negative or above <see cref="MaxMagnitude"/>.</exception>
    public static ushort RoundUp(float value)
    {
        Demand(value);
        return (ushort)((BitConverter.SingleToUInt32Bits(value) + Lower) >> LowerBits);
    }

    /// <summary>The largest code whose scale is not above <paramref name="value"/>.</summary>
    /// <exception cref="ArgumentException">The value is NaN, negative or above <see cref="MaxMagnitude"/>.</exception>
    public static ushort RoundDown(float value)
    {
        Demand(value);
        return (ushort)(BitConverter.SingleToUInt32Bits(value) >> LowerBits);
    }

    /// <summary>The scale of a code.</summary>
    public static float Decode(ushort code) => BitConverter.UInt32BitsToSingle((uint)code << LowerBits);

    /// <summary>Whether a code from outside is a scale: finite, not negative, at most <see cref="MaxMagnitude"/>.</summary>
    public static bool IsScale(ushort code) => Decode(code) is >= 0 and <= MaxMagnitude && code >> 15 == 0;

    /// <summary>Demands a magnitude that may be encoded.</summary>
    /// <exception cref="ArgumentException">It is NaN, negative or above <see cref="MaxMagnitude"/>.</exception>
    public static void Demand(float value)
    {
        if (!(value is >= 0 and <= MaxMagnitude))
        {
            throw new ArgumentException($"A magnitude is {value}; values are finite and at most {MaxMagnitude}.", nameof(value));
        }
    }
}
