using System.Collections.Immutable;
using System.Numerics.Tensors;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// FedIT (Zhang et al. 2023, "Towards Building the Federated GPT: Federated Instruction Tuning", arXiv 2305.05644, algorithm 1): A and B are averaged
/// separately. The baseline, and biased: the product of the means is not the mean of the products. When asked to, the rule tells by how much
/// (<see cref="PairProducts.Bias"/>); the sum then carries the products behind the factors, and the bias is that of the sum itself, not an estimate.
/// </summary>
internal sealed class FeditRule(LoraLayout layout, bool reportsBias, LayerSchedule? layers) : FactorMeanRule(layout, layers)
{
    private readonly PairProducts? _products = reportsBias ? new PairProducts(layout) : null;

    /// <inheritdoc/>
    public override bool SumsUpdatesAsSent => _products is null;

    /// <inheritdoc/>
    public override int SumLength(long round) => checked(base.SumLength(round) + (_products?.Length ?? 0));

    /// <inheritdoc/>
    public override void Expand(in LoraUpdate update, ReadOnlySpan<float> start, Span<float> sum)
    {
        base.Expand(update, start, sum);
        if (_products is not null)
        {
            using ClientAdapter own = new(Layout, Roles(update.Round), update, start);
            _products.Write(own.Values, 0, sum[update.Sent.Length..]);
        }
    }

    /// <inheritdoc/>
    public override LoraOutcome Apply(ReadOnlySpan<float> mean, Span<float> adapter, long round, ServerOptimizerStep step)
    {
        ReadOnlySpan<float> update = mean[..^(_products?.Length ?? 0)];
        double? bias = null;
        if (_products is not null)
        {
            // All tensors are sent, so the packed mean lies as the adapter does.
            float[] averaged = new float[adapter.Length];
            TensorPrimitives.Add(adapter, update, averaged);
            bias = _products.Bias(mean[update.Length..], averaged);
        }

        return base.Apply(update, adapter, round, step) with { AveragingBias = bias };
    }

    /// <inheritdoc/>
    protected override ImmutableArray<ParameterRole> FactorRoles(long round) => LoraRoles.Of(Layout, a: ParameterRole.Sent, b: ParameterRole.Sent);
}
