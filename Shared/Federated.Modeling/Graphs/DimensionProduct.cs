using System.Collections.Immutable;
using System.Globalization;

namespace Federated.Modeling.Graphs;

/// <summary>
/// How many elements some dimensions have together: a size times symbols. Written as a dimension it is a size, one symbol, or a symbol that spells the
/// product (<c>N*24</c>), and such a symbol is taken apart again; so [N, 24] → [N*24] → [N, 3, 8] can be followed. Compares by value.
/// </summary>
internal sealed class DimensionProduct : IEquatable<DimensionProduct>
{
    private const char Times = '*';

    private readonly ImmutableArray<string> _symbols;

    private DimensionProduct(long size, IEnumerable<string> symbols)
    {
        Size = size;
        _symbols = size == 0 ? [] : [.. symbols.Order(StringComparer.Ordinal)];
    }

    /// <summary>The product of what is known.</summary>
    public long Size { get; }

    public static DimensionProduct Of(params IEnumerable<Dimension> dimensions)
    {
        long size = 1;
        List<string> symbols = [];
        foreach (Dimension dimension in dimensions)
        {
            size = checked(size * (dimension.IsSymbolic ? 1 : dimension.Size));
            foreach (string factor in dimension.Symbol?.Split(Times) ?? [])
            {
                if (long.TryParse(factor, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
                {
                    size = checked(size * number);
                }
                else
                {
                    symbols.Add(factor);
                }
            }
        }

        return new DimensionProduct(size, symbols);
    }

    /// <summary>What times <paramref name="divisor"/> is this; null if no such product is known.</summary>
    public DimensionProduct? DividedBy(DimensionProduct divisor)
    {
        List<string> rest = [.. _symbols];
        bool divides = divisor.Size != 0 && Size % divisor.Size == 0 && (Size == 0 || divisor._symbols.All(rest.Remove));
        return divides ? new DimensionProduct(Size / divisor.Size, rest) : null;
    }

    public Dimension ToDimension() => _symbols.Length == 0
        ? Dimension.Of(Size)
        : Dimension.OfSymbol(string.Join(Times, Size == 1 ? _symbols : _symbols.Add(Size.ToString(CultureInfo.InvariantCulture))));

    public bool Equals(DimensionProduct? other) => other is not null && Size == other.Size && _symbols.SequenceEqual(other._symbols);

    public override bool Equals(object? obj) => Equals(obj as DimensionProduct);

    public override int GetHashCode() => _symbols.Aggregate(Size.GetHashCode(), HashCode.Combine);

    public override string ToString() => ToDimension().ToString();
}
