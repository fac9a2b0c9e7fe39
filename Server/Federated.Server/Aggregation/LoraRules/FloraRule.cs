using System.Numerics.Tensors;
using Federated.Shared.Models;
using Federated.Shared.Randomness;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// FLoRA (Wang et al. 2024, "FLoRA: Federated Fine-Tuning Large Language Models with Heterogeneous Low-Rank Adaptations", arXiv 2409.05976,
/// section 3.2): stacking the clients' pᵢAᵢ on top of each other and their Bᵢ side by side gives a pair whose product is Σp·BᵢAᵢ, exactly and for any
/// ranks; it is merged into the base weight, and the next round begins with fresh factors: A drawn anew, B zero. So what is learned is not bound to
/// the package's rank, only what one client can learn in one round.
/// <para>
/// Deviation: the server sums the products instead of stacking the factors, which is the same number and keeps no single update; and it merges them
/// itself, into base weights that are part of the adapter. A device downloads m·n values a target where the paper sends it Σrᵢ·(m + n): less from
/// about r·clients = m·n / (m + n) on, and the same for a device that comes late.
/// </para>
/// </summary>
internal sealed class FloraRule : ProductMeanRule
{
    private readonly ulong _seed;

    /// <summary>The rule for a package.</summary>
    /// <param name="layout">Every pair has its base in the adapter.</param>
    /// <param name="seed">Draws every round's A.</param>
    /// <exception cref="ArgumentException">A pair has no base, or the products are too large to be summed.</exception>
    public FloraRule(LoraLayout layout, ulong seed)
        : base(layout)
    {
        _seed = seed;
        if (layout.Pairs.FirstOrDefault(pair => pair.Base is null) is { } bare)
        {
            throw new ArgumentException($"Target '{bare.Name}' has no base weight in the adapter to merge products into.", nameof(layout));
        }
    }

    /// <inheritdoc/>
    protected override void Take(LoraPair pair, ReadOnlySpan<float> product, Span<float> adapter, long round)
    {
        Merge(pair, product, adapter.Slice(pair.Base!.Offset, pair.Base.Length));
        Draw(pair, round, adapter.Slice(pair.A.Offset, pair.A.Length));
        adapter.Slice(pair.B.Offset, pair.B.Length).Clear();
    }

    private static void Merge(LoraPair pair, ReadOnlySpan<float> product, Span<float> weight)
    {
        if (!pair.BaseInputsFirst)
        {
            TensorPrimitives.Add(weight, product, weight);
            return;
        }

        for (int row = 0; row < pair.Outputs; row++)
        {
            for (int column = 0; column < pair.Inputs; column++)
            {
                weight[(column * pair.Outputs) + row] += product[(row * pair.Inputs) + column];
            }
        }
    }

    /// <summary>Uniform with variance 1 / (3n), as packages draw their first A.</summary>
    private void Draw(LoraPair pair, long round, Span<float> a)
    {
        double limit = Math.Sqrt(1.0 / pair.Inputs);
        SeededGenerator random = SeededGenerator.For(_seed, "flora", (ulong)round, pair.Name);
        for (int i = 0; i < a.Length; i++)
        {
            a[i] = (float)(limit * ((2 * random.NextDouble()) - 1));
        }
    }
}
