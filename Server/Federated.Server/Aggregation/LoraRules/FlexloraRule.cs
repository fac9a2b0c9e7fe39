using System.Numerics.Tensors;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// FlexLoRA (Bai et al. 2024, "Federated Fine-tuning of Large Language Models under Heterogeneous Tasks and Client Resources", arXiv 2402.11505,
/// section 3): the mean of the products, Σp·scale·BᵢAᵢ, is taken apart by singular values into factors of the package's rank R. A gets the right
/// singular vectors and B the left ones times their values, so a client of rank r, which takes the leading r rows and columns, has the best
/// approximation of its rank (Eckart and Young 1936). What is cut off beyond R is lost; below it the rule is exact. A's rows always have length 1, so
/// directions that are not used yet still have a gradient.
/// <para>Deviation: the scale α/R is the package's for every rank, because all clients run the same graph; the paper has α/rᵢ.</para>
/// </summary>
internal sealed class FlexloraRule(LoraLayout layout, ulong seed) : ProductMeanRule(layout)
{
    /// <inheritdoc/>
    protected override void Take(LoraPair pair, ReadOnlySpan<float> product, Span<float> adapter, long round)
    {
        Span<float> b = adapter.Slice(pair.B.Offset, pair.B.Length);
        TruncatedSvd.Decompose(product, pair.Outputs, pair.Rank, seed, b, adapter.Slice(pair.A.Offset, pair.A.Length));
        TensorPrimitives.Multiply(b, 1 / pair.Scale, b);
    }
}
