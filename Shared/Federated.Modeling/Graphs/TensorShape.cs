using System.Collections.Immutable;

namespace Federated.Modeling.Graphs;

/// <summary>The shape of a tensor, row-major; no dimensions for a scalar. Compares by value, symbols by name.</summary>
public sealed class TensorShape : IEquatable<TensorShape>
{
    /// <summary>The shape of a scalar.</summary>
    public static readonly TensorShape Scalar = new([]);

    private TensorShape(ImmutableArray<Dimension> dimensions) => Dimensions = dimensions;

    /// <summary>The dimensions from the outermost to the innermost.</summary>
    public ImmutableArray<Dimension> Dimensions { get; }

    /// <summary>How many dimensions there are.</summary>
    public int Rank => Dimensions.Length;

    /// <summary>True if no dimension is symbolic.</summary>
    public bool IsKnown => !Dimensions.Any(d => d.IsSymbolic);

    /// <summary>Product of the known dimensions.</summary>
    public long KnownProduct => Dimensions.Where(d => !d.IsSymbolic).Aggregate(1L, (product, d) => product * d.Size);

    /// <summary>One dimension; a negative index counts from the end.</summary>
    public Dimension this[int index] => Dimensions[index < 0 ? index + Rank : index];

    /// <summary>A shape of these dimensions.</summary>
    public static TensorShape Of(params IEnumerable<Dimension> dimensions) => new([.. dimensions]);

    /// <summary>A shape of known sizes.</summary>
    public static TensorShape OfSizes(IEnumerable<long> sizes) => new([.. sizes.Select(Dimension.Of)]);

    /// <summary>
    /// The shape that two operands have after ONNX (NumPy) broadcasting; null when they do not fit. A symbol fits itself and 1; a symbol beside
    /// a known size above 1 gives that size, as only 1 or the size itself could run.
    /// </summary>
    public static TensorShape? Broadcast(TensorShape a, TensorShape b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        int rank = Math.Max(a.Rank, b.Rank);
        Dimension[] result = new Dimension[rank];
        for (int i = 1; i <= rank; i++)
        {
            Dimension left = i <= a.Rank ? a[-i] : 1;
            Dimension right = i <= b.Rank ? b[-i] : 1;
            bool fits = left == right || left.IsOne || right.IsOne || left.IsSymbolic != right.IsSymbolic;
            if (!fits)
            {
                return null;
            }

            result[^i] = left == right || right.IsOne ? left : left.IsOne || left.IsSymbolic ? right : left;
        }

        return Of(result);
    }

    /// <inheritdoc/>
    public bool Equals(TensorShape? other) => other is not null && Dimensions.AsSpan().SequenceEqual(other.Dimensions.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TensorShape);

    /// <inheritdoc/>
    public override int GetHashCode() => Dimensions.Aggregate(Rank, HashCode.Combine);

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", Dimensions)}]";
}
