namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Integers modulo the prime p = 2³¹ + 11, which is the first above 2³¹: 31-bit limbs are elements, and a product of two fits 64 bits.
/// All operations take reduced values; none can overflow, and none branches on a secret.
/// </summary>
internal static class ShamirField
{
    /// <summary>p.</summary>
    public const uint Prime = 2_147_483_659;

    /// <summary>a − b.</summary>
    public static uint Subtract(uint a, uint b) => (uint)(((ulong)a + Prime - b) % Prime);

    /// <summary>a · b.</summary>
    public static uint Multiply(uint a, uint b) => (uint)((ulong)a * b % Prime);

    /// <summary>a · b + c: below p² &lt; 2⁶³ before the reduction.</summary>
    public static uint MultiplyAdd(uint a, uint b, uint c) => (uint)((((ulong)a * b) + c) % Prime);

    /// <summary>1 / a by Fermat: a to the power p − 2. Zero has none.</summary>
    /// <exception cref="DivideByZeroException">a is zero.</exception>
    public static uint Invert(uint a)
    {
        if (a == 0)
        {
            throw new DivideByZeroException("Zero has no inverse modulo 2^31 + 11.");
        }

        uint result = 1;
        uint power = a;
        for (uint exponent = Prime - 2; exponent > 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
            {
                result = Multiply(result, power);
            }

            power = Multiply(power, power);
        }

        return result;
    }
}
