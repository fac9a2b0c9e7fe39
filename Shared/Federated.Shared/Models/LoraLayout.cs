using System.Collections.Immutable;

namespace Federated.Shared.Models;

/// <summary>The adapter as LoRA sees it: pairs of factors, and plain tensors beside them. Immutable.</summary>
public sealed class LoraLayout
{
    private LoraLayout(ParameterLayout parameters, ImmutableArray<LoraPair> pairs, ImmutableArray<LoraMatrix?> factors)
    {
        Parameters = parameters;
        Pairs = pairs;
        Factors = factors;
    }

    /// <summary>The flat layout of P = <c>Parameters.Length</c> parameters.</summary>
    public ParameterLayout Parameters { get; }

    /// <summary>The pairs in the order of their first tensors; none for a package without LoRA.</summary>
    public ImmutableArray<LoraPair> Pairs { get; }

    /// <summary>For each tensor of the layout which factor or base it is; null for a plain one.</summary>
    public ImmutableArray<LoraMatrix?> Factors { get; }

    /// <summary>Whether nothing is adapted.</summary>
    public bool IsEmpty => Pairs.IsEmpty;

    /// <summary>Largest rank of a pair; 0 without pairs.</summary>
    public int Rank => Pairs.Select(pair => pair.Rank).DefaultIfEmpty().Max();

    /// <summary>Elements of all ΔW together: what a sum of products takes.</summary>
    public long ProductLength => Pairs.Sum(pair => pair.ProductLength);

    /// <summary>The layout of a package.</summary>
    public static LoraLayout Of(PackageManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return Of(manifest.Layout, [.. manifest.Parameters.Select(parameter => parameter.Lora)]);
    }

    /// <summary>Pairs the factors up.</summary>
    /// <param name="parameters">The flat layout.</param>
    /// <param name="factors">For each tensor which factor it is; null for a plain one.</param>
    /// <exception cref="ArgumentException">A target lacks a factor, has one twice, or its factors do not fit each other.</exception>
    public static LoraLayout Of(ParameterLayout parameters, IReadOnlyList<LoraFactor?> factors)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(factors);
        if (factors.Count != parameters.Parameters.Length)
        {
            throw new ArgumentException($"{factors.Count} factors are stated for {parameters.Parameters.Length} tensors; null stands for a plain one.", nameof(factors));
        }

        IEnumerable<IGrouping<string, (ParameterSpec Spec, LoraFactor Factor)>> pairs = parameters.Parameters.Zip(factors)
            .Where(tensor => tensor.Second is not null)
            .Select(tensor => (Spec: tensor.First, Factor: tensor.Second!))
            .GroupBy(tensor => tensor.Factor.Target, StringComparer.Ordinal);
        return new LoraLayout(parameters, [.. pairs.Select(Pair)], [.. factors.Select(factor => factor?.Factor)]);
    }

    /// <summary>
    /// Cuts every pair to its leading <paramref name="rank"/>: later rows of A and later columns of B become zero. Training keeps them there, because
    /// the gradient of one is a product with the other. Targets of a lower rank stay as they are.
    /// </summary>
    /// <param name="adapter">[P], changed in place.</param>
    /// <param name="rank">At least 1.</param>
    public void Truncate(Span<float> adapter, int rank)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        foreach (LoraPair pair in Pairs.Where(pair => pair.Rank > rank))
        {
            int kept = rank * pair.Inputs;
            adapter.Slice(pair.A.Offset + kept, pair.A.Length - kept).Clear();
            Span<float> b = adapter.Slice(pair.B.Offset, pair.B.Length);
            for (int row = 0; row < pair.Outputs; row++)
            {
                b.Slice((row * pair.Rank) + rank, pair.Rank - rank).Clear();
            }
        }
    }

    private static LoraPair Pair(IGrouping<string, (ParameterSpec Spec, LoraFactor Factor)> tensors)
    {
        (ParameterSpec Spec, LoraFactor Factor)[] a = [.. tensors.Where(tensor => tensor.Factor.Factor == LoraMatrix.A)];
        (ParameterSpec Spec, LoraFactor Factor)[] b = [.. tensors.Where(tensor => tensor.Factor.Factor == LoraMatrix.B)];
        if (a.Length != 1 || b.Length != 1)
        {
            throw new ArgumentException($"Target '{tensors.Key}' has {a.Length} tensors as A and {b.Length} as B; a pair has one of each.", nameof(tensors));
        }

        ImmutableArray<int> first = a[0].Spec.Shape;
        ImmutableArray<int> second = b[0].Spec.Shape;
        double scale = a[0].Factor.Scale;
        bool fits = first.Length >= 2 && second.Length >= 2 && second[1] == first[0] && b[0].Spec.Length == second[0] * second[1]
            && double.IsFinite(scale) && scale > 0 && b[0].Factor.Scale == scale;
        if (!fits)
        {
            throw new ArgumentException(
                $"Target '{tensors.Key}' has A [{string.Join(", ", first)}] with scale {scale} and B [{string.Join(", ", second)}] with scale {b[0].Factor.Scale}; "
                + "expected are [r, n…] and [m, r, 1…] with one scale above 0.",
                nameof(tensors));
        }

        LoraPair pair = new(tensors.Key, a[0].Spec, b[0].Spec, (float)scale);
        (ParameterSpec Spec, LoraFactor Factor)[] bases = [.. tensors.Where(tensor => tensor.Factor.Factor == LoraMatrix.Base)];
        return bases.Length == 0
            ? pair
            : bases.Length == 1 && bases[0].Spec.Length == pair.ProductLength
                ? pair with { Base = bases[0].Spec, BaseInputsFirst = bases[0].Factor.InputsFirst == true }
                : throw new ArgumentException(
                    $"Target '{tensors.Key}' has {bases.Length} tensors as its base, of {string.Join(", ", bases.Select(tensor => tensor.Spec.Length))} elements; "
                    + $"one of {pair.ProductLength} is expected.",
                    nameof(tensors));
    }
}
