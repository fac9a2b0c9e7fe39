using System.Numerics.Tensors;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// All targets' products ΔW one after the other, as a part of the summed vector. Its length does not grow with the cohort: a sum of products is
/// what a rule needs that is exact, or that wants to know how far it is from exact. The price in memory is 8 bytes an element in the running
/// sum and 4 in each update being folded; the price in time r·m·n multiplications a target and update. Immutable.
/// </summary>
internal sealed class PairProducts
{
    /// <summary>Most elements of all products together: half a gigabyte in the running sum.</summary>
    public const int MaxLength = 1 << 26;

    private readonly LoraLayout _layout;

    /// <summary>The products of a layout.</summary>
    /// <exception cref="ArgumentException">They have more than <see cref="MaxLength"/> elements.</exception>
    public PairProducts(LoraLayout layout)
    {
        _layout = layout;
        Length = layout.ProductLength <= MaxLength
            ? (int)layout.ProductLength
            : throw new ArgumentException(
                $"The products of the LoRA factors have {layout.ProductLength} elements, the limit is {MaxLength}. Adapt fewer or smaller weights.", nameof(layout));
    }

    /// <summary>Elements of all products together.</summary>
    public int Length { get; }

    /// <summary>Writes factor·scale·B·A of every pair.</summary>
    /// <param name="adapter">One client's own factors: [P].</param>
    /// <param name="rank">Its rank; 0 for each target's own.</param>
    /// <param name="products">[<see cref="Length"/>], overwritten.</param>
    /// <param name="factors">What multiplies each target's product; all 1 when empty.</param>
    public void Write(ReadOnlySpan<float> adapter, int rank, Span<float> products, ReadOnlySpan<float> factors = default)
    {
        products.Clear();
        int offset = 0;
        for (int i = 0; i < _layout.Pairs.Length; i++)
        {
            LoraPair pair = _layout.Pairs[i];
            int length = (int)pair.ProductLength;
            FactorProduct.AddTo(pair, adapter, rank, factors.IsEmpty ? 1 : factors[i], products.Slice(offset, length));
            offset += length;
        }
    }

    /// <summary>One target's part.</summary>
    public Span<float> Of(int pair, Span<float> products) => products.Slice(Offset(pair), (int)_layout.Pairs[pair].ProductLength);

    /// <summary>One target's part.</summary>
    public ReadOnlySpan<float> Of(int pair, ReadOnlySpan<float> products) =>
        products.Slice(Offset(pair), (int)_layout.Pairs[pair].ProductLength);

    /// <summary>
    /// ‖Σp·BᵢAᵢ − B̄Ā‖_F / ‖Σp·BᵢAᵢ‖_F over all targets together: by how much the product of the averaged factors misses the average of the products. 0 when
    /// the average is zero.
    /// </summary>
    /// <param name="mean">Σp·BᵢAᵢ with the scale: [<see cref="Length"/>].</param>
    /// <param name="averaged">An adapter that holds Ā and B̄: [P].</param>
    public double Bias(ReadOnlySpan<float> mean, ReadOnlySpan<float> averaged)
    {
        double missed = 0;
        double whole = 0;
        for (int i = 0; i < _layout.Pairs.Length; i++)
        {
            ReadOnlySpan<float> exact = Of(i, mean);
            float[] difference = exact.ToArray();
            FactorProduct.AddTo(_layout.Pairs[i], averaged, 0, -1, difference);
            missed += SumOfSquares(difference);
            whole += SumOfSquares(exact);
        }

        return whole == 0 ? 0 : Math.Sqrt(missed / whole);
    }

    private static double SumOfSquares(ReadOnlySpan<float> values)
    {
        double norm = TensorPrimitives.Norm(values);
        return norm * norm;
    }

    private int Offset(int pair) => (int)_layout.Pairs.Take(pair).Sum(earlier => earlier.ProductLength);
}
