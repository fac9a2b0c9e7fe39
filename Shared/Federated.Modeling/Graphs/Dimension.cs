namespace Federated.Modeling.Graphs;

/// <summary>One dimension of a tensor: a known size, or a symbol such as the batch's <c>N</c>. Symbols are equal when their names are.</summary>
public readonly record struct Dimension
{
    private Dimension(long size, string? symbol)
    {
        Size = size;
        Symbol = symbol;
    }

    /// <summary>The batch dimension, <c>N</c>.</summary>
    public static Dimension Batch => OfSymbol("N");

    /// <summary>The size, at least 0; meaningless when <see cref="IsSymbolic"/>.</summary>
    public long Size { get; }

    /// <summary>The symbol's name; null for a known size.</summary>
    public string? Symbol { get; }

    /// <summary>True if only a run tells the size.</summary>
    public bool IsSymbolic => Symbol is not null;

    /// <summary>True if the size is known to be one, the size that broadcasts.</summary>
    public bool IsOne => !IsSymbolic && Size == 1;

    /// <summary>A known size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public static Dimension Of(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return new Dimension(size, null);
    }

    /// <summary>A symbol.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static Dimension OfSymbol(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new Dimension(0, name);
    }

    /// <summary>A known size.</summary>
    public static implicit operator Dimension(long size) => Of(size);

    /// <summary>A known size.</summary>
    public static Dimension ToDimension(long size) => Of(size);

    /// <inheritdoc/>
    public override string ToString() => Symbol ?? Size.ToString();
}
