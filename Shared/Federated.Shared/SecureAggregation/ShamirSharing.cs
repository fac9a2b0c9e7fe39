using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Shamir's secret sharing ("How to share a secret", CACM 22(11), 1979) over <see cref="ShamirField"/>, limb by limb. Any t shares give the
/// secret, any t − 1 say nothing about it.
/// </summary>
public static class ShamirSharing
{
    /// <summary>
    /// Splits a secret among holders. <paramref name="shares"/>: [abscissae.Length × limbs.Length], the share of abscissae[i] at i ·
    /// limbs.Length.
    /// </summary>
    /// <param name="limbs">The secret's limbs, each below p.</param>
    /// <param name="threshold">t, 1 to abscissae.Length.</param>
    /// <param name="abscissae">Where the polynomials are evaluated: distinct, 1 to p − 1.</param>
    /// <param name="shares">Receives the shares; secret, the caller clears them.</param>
    public static void Split(ReadOnlySpan<uint> limbs, int threshold, ReadOnlySpan<int> abscissae, Span<uint> shares)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threshold, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threshold, abscissae.Length);
        int coefficients = threshold - 1;
        uint[] polynomial = ArrayPool<uint>.Shared.Rent(Math.Max(coefficients, 1));
        try
        {
            for (int limb = 0; limb < limbs.Length; limb++)
            {
                FillUniform(polynomial.AsSpan(0, coefficients));
                for (int i = 0; i < abscissae.Length; i++)
                {
                    uint x = (uint)abscissae[i];
                    uint value = 0;
                    for (int c = coefficients - 1; c >= 0; c--)
                    {
                        value = ShamirField.MultiplyAdd(value, x, polynomial[c]);
                    }

                    shares[(i * limbs.Length) + limb] = ShamirField.MultiplyAdd(value, x, limbs[limb]);
                }
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(polynomial.AsSpan(0, coefficients)));
            ArrayPool<uint>.Shared.Return(polynomial);
        }
    }

    /// <summary>
    /// The weights that take values at the abscissae to the value at 0: Π xⱼ / (xⱼ − xᵢ) over j ≠ i. They depend on who answered alone and
    /// serve every limb and every secret that the same members hold.
    /// </summary>
    /// <exception cref="DivideByZeroException">An abscissa is there twice.</exception>
    public static uint[] WeightsAtZero(ReadOnlySpan<int> abscissae)
    {
        uint[] weights = new uint[abscissae.Length];
        for (int i = 0; i < abscissae.Length; i++)
        {
            uint numerator = 1;
            uint denominator = 1;
            for (int j = 0; j < abscissae.Length; j++)
            {
                if (j != i)
                {
                    numerator = ShamirField.Multiply(numerator, (uint)abscissae[j]);
                    denominator = ShamirField.Multiply(denominator, ShamirField.Subtract((uint)abscissae[j], (uint)abscissae[i]));
                }
            }

            weights[i] = ShamirField.Multiply(numerator, ShamirField.Invert(denominator));
        }

        return weights;
    }

    /// <summary>The secret's limbs from as many shares as there are weights: Σ weight · share.</summary>
    public static void Combine(ReadOnlySpan<uint> weights, IReadOnlyList<uint[]> shares, Span<uint> limbs)
    {
        limbs.Clear();
        for (int i = 0; i < weights.Length; i++)
        {
            for (int limb = 0; limb < limbs.Length; limb++)
            {
                limbs[limb] = ShamirField.MultiplyAdd(weights[i], shares[i][limb], limbs[limb]);
            }
        }
    }

    // Uniform below p: 32 random bits, passed over when they are not below p, which happens about every second time.
    private static void FillUniform(Span<uint> values)
    {
        Span<uint> drawn = stackalloc uint[256];
        int left = 0;
        for (int i = 0; i < values.Length;)
        {
            if (left == 0)
            {
                RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(drawn));
                left = drawn.Length;
            }

            uint value = drawn[--left];
            if (value < ShamirField.Prime)
            {
                values[i++] = value;
            }
        }

        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(drawn));
    }
}
