using System.Collections.Immutable;
using System.Numerics.Tensors;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// What flora and flexlora have in common: clients send both factors, and the sum holds the plain tensors' deltas and the targets' products
/// scale·BᵢAᵢ. Their mean is Σp·scale·BᵢAᵢ exactly, whatever the ranks. The client's factors are multiplied on the server, so the rules refuse secure
/// aggregation. Plain tensors take the server optimizer's step; what a target becomes of its mean product is each rule's own.
/// </summary>
internal abstract class ProductMeanRule : ILoraRule
{
    private readonly LoraLayout _layout;
    private readonly ImmutableArray<ParameterRole> _roles;
    private readonly ParameterSelection _plain;
    private readonly PairProducts _products;

    /// <summary>The rule of a layout.</summary>
    /// <exception cref="ArgumentException">The products are too large to be summed.</exception>
    protected ProductMeanRule(LoraLayout layout)
    {
        _layout = layout;
        _products = new PairProducts(layout);
        _roles = LoraRoles.Of(layout, a: ParameterRole.Sent, b: ParameterRole.Sent);
        _plain = ParameterSelection.Of(
            layout, [.. layout.Factors.Select(factor => factor is null ? ParameterRole.Sent : ParameterRole.Frozen)], ParameterRole.Sent);
    }

    /// <inheritdoc/>
    public bool SumsUpdatesAsSent => false;

    /// <inheritdoc/>
    public ImmutableArray<ParameterRole> Roles(long round) => _roles;

    /// <inheritdoc/>
    public int SumLength(long round) => checked(_plain.Length + _products.Length);

    /// <summary>Writes the plain tensors' deltas and the products.</summary>
    public void Expand(in LoraUpdate update, ReadOnlySpan<float> start, Span<float> sum)
    {
        using ClientAdapter own = new(_layout, _roles, update, start);
        Span<float> plain = sum[.._plain.Length];
        _plain.Gather(own.Values, plain);
        float[] before = new float[_plain.Length];
        _plain.Gather(start, before);
        TensorPrimitives.Subtract(plain, before, plain);
        _products.Write(own.Values, update.Rank, sum[_plain.Length..]);
    }

    /// <inheritdoc/>
    public LoraOutcome Apply(ReadOnlySpan<float> mean, Span<float> adapter, long round, ServerOptimizerStep step)
    {
        step.Apply(adapter, mean[.._plain.Length], _plain);
        for (int i = 0; i < _layout.Pairs.Length; i++)
        {
            Take(_layout.Pairs[i], _products.Of(i, mean[_plain.Length..]), adapter, round);
        }

        return new LoraOutcome(TensorPrimitives.Norm(mean), null);
    }

    /// <summary>Makes a target's next tensors.</summary>
    /// <param name="pair">The target.</param>
    /// <param name="product">Its mean product: [m, n].</param>
    /// <param name="adapter">[P], changed in place.</param>
    /// <param name="round">From 1.</param>
    protected abstract void Take(LoraPair pair, ReadOnlySpan<float> product, Span<float> adapter, long round);
}
