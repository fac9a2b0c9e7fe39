using System.Numerics.Tensors;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>The product of a pair of factors, ΔW = scale·B·A, and its norm.</summary>
internal static class FactorProduct
{
    /// <summary>product += factor·scale·B·A of the leading <paramref name="rank"/>. r·m·n multiplications.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="adapter">[P].</param>
    /// <param name="rank">Rows of A and columns of B that count; 0 for all.</param>
    /// <param name="factor">Multiplies the product.</param>
    /// <param name="product">[m, n], added to.</param>
    public static void AddTo(LoraPair pair, ReadOnlySpan<float> adapter, int rank, float factor, Span<float> product)
    {
        int leading = Leading(pair, rank);
        int columns = pair.Inputs;
        ReadOnlySpan<float> a = adapter.Slice(pair.A.Offset, pair.A.Length);
        ReadOnlySpan<float> b = adapter.Slice(pair.B.Offset, pair.B.Length);
        for (int row = 0; row < pair.Outputs; row++)
        {
            Span<float> sum = product.Slice(row * columns, columns);
            for (int k = 0; k < leading; k++)
            {
                TensorPrimitives.MultiplyAdd(a.Slice(k * columns, columns), factor * pair.Scale * b[(row * pair.Rank) + k], sum, sum);
            }
        }
    }

    /// <summary>
    /// ‖scale·B·A‖_F without the product: its square is the inner product of BᵀB and AAᵀ, both [r, r]. In float64.
    /// </summary>
    /// <param name="pair">The pair.</param>
    /// <param name="adapter">[P].</param>
    /// <param name="rank">Rows of A and columns of B that count; 0 for all.</param>
    public static double Norm(LoraPair pair, ReadOnlySpan<float> adapter, int rank)
    {
        int leading = Leading(pair, rank);
        ReadOnlySpan<float> a = adapter.Slice(pair.A.Offset, pair.A.Length);
        ReadOnlySpan<float> b = adapter.Slice(pair.B.Offset, pair.B.Length);
        double square = 0;
        for (int i = 0; i < leading; i++)
        {
            for (int j = 0; j < leading; j++)
            {
                double outer = 0;
                for (int row = 0; row < pair.Outputs; row++)
                {
                    outer += (double)b[(row * pair.Rank) + i] * b[(row * pair.Rank) + j];
                }

                double inner = 0;
                for (int column = 0; column < pair.Inputs; column++)
                {
                    inner += (double)a[(i * pair.Inputs) + column] * a[(j * pair.Inputs) + column];
                }

                square += outer * inner;
            }
        }

        // Rounding may leave a norm that is zero just below it.
        return pair.Scale * Math.Sqrt(Math.Max(0, square));
    }

    private static int Leading(LoraPair pair, int rank) => rank == 0 ? pair.Rank : Math.Min(rank, pair.Rank);
}
