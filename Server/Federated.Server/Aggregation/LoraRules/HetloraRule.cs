using System.Collections.Immutable;
using System.Numerics.Tensors;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// HetLoRA (Cho et al. 2024, "Heterogeneous LoRA for Federated Fine-tuning of On-Device Foundation Models", arXiv 2401.06432, section 3.2): clients of
/// rank rᵢ train the leading rᵢ rows of A and columns of B; the server pads with zeros to the largest rank and weights each client by
/// ‖BᵢAᵢ‖_F / Z, Z = Σ‖BᵢAᵢ‖_F, pair by pair. Plain tensors are weighted by examples. Not exact: the product of two means is not the mean of the
/// products, which the rule tells when asked to.
/// <para>
/// Summed are norm·(padded factors − start) and the norm itself, one for each pair, both divided by the client's examples, which the sum multiplies by.
/// Where nothing was learned (Z = 0) the target stands. Deviation: clients do not prune their rank themselves (same paper, section 3.1).
/// </para>
/// </summary>
internal sealed class HetloraRule(LoraLayout layout, bool reportsBias) : ILoraRule
{
    private readonly PairProducts? _products = reportsBias ? new PairProducts(layout) : null;

    /// <inheritdoc/>
    public bool SumsUpdatesAsSent => false;

    private int AdapterLength => layout.Parameters.Length;

    private int PairCount => layout.Pairs.Length;

    /// <inheritdoc/>
    public ImmutableArray<ParameterRole> Roles(long round) => LoraRoles.Of(layout, a: ParameterRole.Sent, b: ParameterRole.Sent);

    /// <inheritdoc/>
    public int SumLength(long round) => checked(AdapterLength + PairCount + (_products?.Length ?? 0));

    /// <inheritdoc/>
    public void Expand(in LoraUpdate update, ReadOnlySpan<float> start, Span<float> sum)
    {
        using ClientAdapter own = new(layout, Roles(update.Round), update, start);
        Span<float> delta = sum[..AdapterLength];
        TensorPrimitives.Subtract(own.Values, start, delta);
        Span<float> weights = sum.Slice(AdapterLength, PairCount);
        for (int i = 0; i < PairCount; i++)
        {
            LoraPair pair = layout.Pairs[i];
            weights[i] = (float)(FactorProduct.Norm(pair, own.Values, update.Rank) / update.Examples);
            Scale(delta, pair, weights[i]);
        }

        _products?.Write(own.Values, update.Rank, sum[(AdapterLength + PairCount)..], weights);
    }

    /// <inheritdoc/>
    public LoraOutcome Apply(ReadOnlySpan<float> mean, Span<float> adapter, long round, ServerOptimizerStep step)
    {
        float[] update = mean[..AdapterLength].ToArray();
        ReadOnlySpan<float> weights = mean.Slice(AdapterLength, PairCount);
        for (int i = 0; i < PairCount; i++)
        {
            Scale(update, layout.Pairs[i], Inverse(weights[i]));
        }

        double? bias = _products is null ? null : Bias(mean[(AdapterLength + PairCount)..], weights, adapter, update);
        step.Apply(adapter, update, ParameterSelection.Of(layout, Roles(round), ParameterRole.Sent));
        return new LoraOutcome(TensorPrimitives.Norm<float>(update), bias);
    }

    private double Bias(ReadOnlySpan<float> products, ReadOnlySpan<float> weights, ReadOnlySpan<float> adapter, ReadOnlySpan<float> update)
    {
        float[] mean = products.ToArray();
        for (int i = 0; i < PairCount; i++)
        {
            Span<float> product = _products!.Of(i, mean.AsSpan());
            TensorPrimitives.Multiply(product, Inverse(weights[i]), product);
        }

        float[] averaged = new float[adapter.Length];
        TensorPrimitives.Add(adapter, update, averaged);
        return _products!.Bias(mean, averaged);
    }

    private static float Inverse(float weight) => weight > 0 ? 1 / weight : 0;

    private static void Scale(Span<float> adapter, LoraPair pair, float factor)
    {
        foreach (ParameterSpec spec in new[] { pair.A, pair.B })
        {
            Span<float> values = adapter.Slice(spec.Offset, spec.Length);
            TensorPrimitives.Multiply(values, factor, values);
        }
    }
}
