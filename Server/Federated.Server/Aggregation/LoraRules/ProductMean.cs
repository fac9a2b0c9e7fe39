using System.Collections.Immutable;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// What flora and flexlora have in common: clients send both factors, and the sum holds the plain tensors' deltas and the targets' products
/// scale·BᵢAᵢ. Their mean is Σp·scale·BᵢAᵢ exactly, whatever the ranks. The client's factors are multiplied on the server, so the rules refuse secure
/// aggregation.
/// </summary>
internal sealed class ProductMean
{
    private readonly LoraLayout _layout;
    private readonly PairProducts _products;

    /// <summary>The sum of a layout.</summary>
    /// <exception cref="ArgumentException">The products are too large to be summed.</exception>
    public ProductMean(LoraLayout layout)
    {
        _layout = layout;
        _products = new PairProducts(layout);
        Roles = LoraRoles.Of(layout, a: ParameterRole.Sent, b: ParameterRole.Sent);
        Plain = ParameterSelection.Of(
            layout, [.. layout.Factors.Select(factor => factor is null ? ParameterRole.Sent : ParameterRole.Frozen)], ParameterRole.Sent);
    }

    /// <summary>The clients' roles.</summary>
    public ImmutableArray<ParameterRole> Roles { get; }

    /// <summary>The plain tensors.</summary>
    public ParameterSelection Plain { get; }

    /// <summary>S.</summary>
    public int SumLength => checked(Plain.Length + _products.Length);

    /// <summary>Writes the plain tensors' deltas and the products.</summary>
    public void Expand(in LoraUpdate update, ReadOnlySpan<float> start, Span<float> sum)
    {
        using ClientAdapter own = new(_layout, Roles, update, start);
        Span<float> plain = sum[..Plain.Length];
        Plain.Gather(own.Values, plain);
        float[] before = new float[Plain.Length];
        Plain.Gather(start, before);
        System.Numerics.Tensors.TensorPrimitives.Subtract(plain, before, plain);
        _products.Write(own.Values, update.Rank, sum[Plain.Length..]);
    }

    /// <summary>The plain tensors' mean update.</summary>
    public ReadOnlySpan<float> PlainOf(ReadOnlySpan<float> mean) => mean[..Plain.Length];

    /// <summary>A target's mean product: [m, n].</summary>
    public ReadOnlySpan<float> ProductOf(ReadOnlySpan<float> mean, int pair) => _products.Of(pair, mean[Plain.Length..]);
}
