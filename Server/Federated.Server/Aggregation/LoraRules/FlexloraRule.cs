using System.Collections.Immutable;
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
internal sealed class FlexloraRule(LoraLayout layout, ulong seed) : ILoraRule
{
    private readonly ProductMean _sum = new(layout);

    /// <inheritdoc/>
    public bool SumsUpdatesAsSent => false;

    /// <inheritdoc/>
    public ImmutableArray<ParameterRole> Roles(long round) => _sum.Roles;

    /// <inheritdoc/>
    public int SumLength(long round) => _sum.SumLength;

    /// <inheritdoc/>
    public void Expand(in LoraUpdate update, ReadOnlySpan<float> start, Span<float> sum) => _sum.Expand(update, start, sum);

    /// <inheritdoc/>
    public LoraOutcome Apply(ReadOnlySpan<float> mean, Span<float> adapter, long round, ServerOptimizerStep step)
    {
        step.Apply(adapter, _sum.PlainOf(mean), _sum.Plain);
        for (int i = 0; i < layout.Pairs.Length; i++)
        {
            LoraPair pair = layout.Pairs[i];
            Span<float> b = adapter.Slice(pair.B.Offset, pair.B.Length);
            TruncatedSvd.Decompose(
                _sum.ProductOf(mean, i), pair.Outputs, pair.Rank, seed, b, adapter.Slice(pair.A.Offset, pair.A.Length));
            TensorPrimitives.Multiply(b, 1 / pair.Scale, b);
        }

        return new LoraOutcome(TensorPrimitives.Norm(mean), null);
    }
}
