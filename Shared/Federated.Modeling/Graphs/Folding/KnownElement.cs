namespace Federated.Modeling.Graphs.Folding;

/// <summary>One element of a tensor whose content is known before a run: a whole number, a number, or the size of a symbolic dimension.</summary>
/// <param name="Integer">The value in a tensor of whole numbers or truth values (1, 0), unless there is a symbol.</param>
/// <param name="Number">The value in a tensor of floating-point numbers.</param>
/// <param name="Symbol">The dimension whose size this is; null if the value is known.</param>
internal readonly record struct KnownElement(long Integer, double Number = 0, string? Symbol = null)
{
    public static KnownElement Of(Dimension dimension) => new(dimension.Size, 0, dimension.Symbol);

    public static KnownElement Of(bool value) => new(value ? 1 : 0);

    public static KnownElement OfNumber(double value) => new(0, value);

    /// <summary>The dimension of this size; null if it is negative.</summary>
    public Dimension? ToDimension() => Symbol is not null ? Dimension.OfSymbol(Symbol) : Integer >= 0 ? Dimension.Of(Integer) : null;
}
