using System.Buffers;
using System.Collections.Immutable;
using System.Numerics.Tensors;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// A client's adapter after training, put together from the round's adapter and what it sent: what is beyond its rank is zero, what it did not
/// send is as the round began. Pooled; dispose it.
/// </summary>
internal readonly ref struct ClientAdapter
{
    private readonly float[] _pooled;

    /// <summary>Restores the adapter.</summary>
    /// <param name="layout">The adapter's layout.</param>
    /// <param name="roles">Those of the round.</param>
    /// <param name="update">What the client sent.</param>
    /// <param name="start">The round's adapter: [P].</param>
    /// <exception cref="ArgumentException">The update is not as long as its rank demands.</exception>
    public ClientAdapter(LoraLayout layout, ImmutableArray<ParameterRole> roles, in LoraUpdate update, ReadOnlySpan<float> start)
    {
        int length = layout.Parameters.Length;
        _pooled = ArrayPool<float>.Shared.Rent(2 * length);
        Span<float> own = _pooled.AsSpan(0, length);
        Span<float> delta = _pooled.AsSpan(length, length);
        start.CopyTo(own);
        if (update.Rank > 0)
        {
            layout.Truncate(own, update.Rank);
        }

        delta.Clear();
        ParameterSelection.Of(layout, roles, ParameterRole.Sent, update.Rank).Scatter(update.Sent, delta);
        TensorPrimitives.Add(own, delta, own);
        Values = own;
    }

    /// <summary>The client's adapter: [P].</summary>
    public ReadOnlySpan<float> Values { get; }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => ArrayPool<float>.Shared.Return(_pooled);
}
