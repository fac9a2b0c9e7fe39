namespace Federated.Modeling.Graphs.Folding;

/// <summary>
/// Arithmetic of whole numbers of which some are sizes of symbolic dimensions; null where the result is neither known nor a product of such sizes. Wraps
/// as the 64-bit arithmetic of a run would, so the code is unchecked.
/// </summary>
internal static class IntegerArithmetic
{
    public static KnownElement? Add(KnownElement a, KnownElement b) =>
        IsZero(a) ? b : IsZero(b) ? a : Known(a, b) ? new KnownElement(unchecked(a.Integer + b.Integer)) : null;

    public static KnownElement? Subtract(KnownElement a, KnownElement b) =>
        IsZero(b) ? a : a == b ? new KnownElement(0) : Known(a, b) ? new KnownElement(unchecked(a.Integer - b.Integer)) : null;

    public static KnownElement? Multiply(KnownElement a, KnownElement b) => Known(a, b)
        ? new KnownElement(unchecked(a.Integer * b.Integer))
        : a.ToDimension() is { } left && b.ToDimension() is { } right ? KnownElement.Of(DimensionProduct.Of(left, right).ToDimension()) : null;

    /// <summary>Rounds towards 0. A size of a symbolic dimension is divided only where no remainder is possible.</summary>
    public static KnownElement? Divide(KnownElement a, KnownElement b)
    {
        if (Known(a, b))
        {
            return b.Integer is 0 or -1 ? (b.Integer == 0 ? null : new KnownElement(unchecked(-a.Integer))) : new KnownElement(a.Integer / b.Integer);
        }

        return a.ToDimension() is { } left && b.ToDimension() is { } right && DimensionProduct.Of(left).DividedBy(DimensionProduct.Of(right)) is { } quotient
            ? KnownElement.Of(quotient.ToDimension())
            : null;
    }

    public static KnownElement? Power(KnownElement a, KnownElement b)
    {
        if (!Known(a, b) || b.Integer is < 0 or > 62)
        {
            return null;
        }

        long power = 1;
        for (long i = 0; i < b.Integer; i++)
        {
            power = unchecked(power * a.Integer);
        }

        return new KnownElement(power);
    }

    /// <summary>A size is never negative, so it is known not to equal the -1 that exporters write for "keep".</summary>
    public static KnownElement? Equal(KnownElement a, KnownElement b) =>
        Known(a, b) || a == b ? KnownElement.Of(a == b)
        : (a.Symbol is null && a.Integer < 0) || (b.Symbol is null && b.Integer < 0) ? KnownElement.Of(false)
        : null;

    /// <summary>A function of known numbers alone.</summary>
    public static Func<KnownElement, KnownElement, KnownElement?> OfKnown(Func<long, long, long> function) =>
        (a, b) => Known(a, b) ? new KnownElement(function(a.Integer, b.Integer)) : null;

    private static bool Known(KnownElement a, KnownElement b) => a.Symbol is null && b.Symbol is null;

    private static bool IsZero(KnownElement element) => element.Symbol is null && element.Integer == 0;
}
