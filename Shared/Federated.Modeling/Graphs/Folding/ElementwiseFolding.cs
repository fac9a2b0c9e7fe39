using System.Collections.Immutable;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Graphs.Folding;

/// <summary>Operators that work element by element, with broadcasting.</summary>
internal static class ElementwiseFolding
{
    /// <summary>A rule from a function of whole numbers and one of floating-point numbers; null where the operator has none.</summary>
    public static FoldRule Unary(Func<long, long>? integers, Func<double, double>? numbers) => (node, type, shape) =>
    {
        KnownContent? x = node.Input(0).Content;
        return x is null ? null : KnownContent.Make(type, shape, p => Of(x[p]));

        KnownElement? Of(KnownElement a) => KnownContent.Floating(type)
            ? numbers is null ? null : Rounded(type, numbers(a.Number))
            : integers is null || a.Symbol is not null ? null : new KnownElement(integers(a.Integer));
    };

    /// <summary>A rule of two operands, or of more that are combined from the left.</summary>
    public static FoldRule Binary(Func<KnownElement, KnownElement, KnownElement?> integers, Func<double, double, double>? numbers = null) => (node, type, shape) =>
    {
        ImmutableArray<KnownContent?> operands = [.. node.Inputs.Select(i => i?.Content)];
        return operands.Any(o => o is null) ? null : KnownContent.Make(type, shape, p =>
        {
            KnownElement? result = At(operands[0]!, p);
            foreach (KnownContent? operand in operands.AsSpan()[1..])
            {
                result = result is { } left ? Combine(left, At(operand!, p)) : null;
            }

            return result;
        });

        KnownElement? Combine(KnownElement a, KnownElement b) => KnownContent.Floating(type)
            ? numbers is null ? null : Rounded(type, numbers(a.Number, b.Number))
            : integers(a, b);
    };

    /// <summary>A rule that gives truth values.</summary>
    public static FoldRule Comparison(Func<KnownElement, KnownElement, KnownElement?> integers, Func<double, double, bool> numbers) => (node, type, shape) =>
        node.Input(0).Content is { } a && node.Input(1).Content is { } b
            ? KnownContent.Make(type, shape, p => a.IsFloating ? KnownElement.Of(numbers(At(a, p).Number, At(b, p).Number)) : integers(At(a, p), At(b, p)))
            : null;

    /// <summary>The remainder: of the divisor's sign, or with <c>fmod</c> of the dividend's.</summary>
    public static KnownContent? Mod(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        bool ofDividend = node.Attributes.IntegerOr("fmod", 0) != 0;
        return Binary(
            (a, b) => a.Symbol is null && b is { Symbol: null, Integer: not (0 or -1) }
                ? new KnownElement(ofDividend || a.Integer % b.Integer * Math.Sign(b.Integer) >= 0 ? a.Integer % b.Integer : (a.Integer % b.Integer) + b.Integer)
                : null,
            ofDividend ? (a, b) => a % b : null)(node, type, shape);
    }

    /// <summary>The power. Base and exponent may have different types, and each is read by its own; the result has the base's.</summary>
    public static KnownContent? Pow(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        if (node.Input(0).Content is not { } x || node.Input(1).Content is not { } exponent)
        {
            return null;
        }

        return KnownContent.Make(type, shape, p => Of(At(x, p), At(exponent, p)));

        KnownElement? Of(KnownElement a, KnownElement b) => !x.IsFloating && !exponent.IsFloating ? IntegerArithmetic.Power(a, b)
            : a.Symbol is not null || b.Symbol is not null ? null
            : Power(x.IsFloating ? a.Number : a.Integer, exponent.IsFloating ? b.Number : b.Integer);

        KnownElement? Power(double a, double b) => x.IsFloating ? Rounded(type, Math.Pow(a, b)) : Whole(type, Math.Pow(a, b));
    }

    public static KnownContent? Cast(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        if (node.Input(0).Content is not { } x)
        {
            return null;
        }

        return KnownContent.Make(type, shape, p => KnownContent.Floating(type) ? ToNumber(x[p]) : x.IsFloating ? ToInteger(x[p].Number) : Narrow(x[p]));

        KnownElement? ToNumber(KnownElement a) => x.IsFloating ? Rounded(type, a.Number) : a.Symbol is null ? Rounded(type, a.Integer) : null;

        KnownElement? ToInteger(double a) => type == DataType.Bool ? KnownElement.Of(a != 0) : Whole(type, a);

        KnownElement? Narrow(KnownElement a) => a.Symbol is not null ? (type == DataType.Bool ? null : a)
            : new KnownElement(type switch
            {
                DataType.Bool => a.Integer != 0 ? 1 : 0,
                DataType.Int32 => unchecked((int)a.Integer),
                _ => a.Integer,
            });
    }

    public static KnownContent? Where(GraphNode node, DataType type, ImmutableArray<int> shape) =>
        node.Input(0).Content is { } condition && node.Input(1).Content is { } a && node.Input(2).Content is { } b
            ? KnownContent.Make(type, shape, p => At(condition, p).Integer != 0 ? At(a, p) : At(b, p))
            : null;

    /// <summary>The element that broadcasting shows at a position of the result.</summary>
    public static KnownElement At(KnownContent x, int[] position)
    {
        Span<int> own = stackalloc int[x.Shape.Length];
        for (int i = 0; i < own.Length; i++)
        {
            own[i] = x.Shape[i] == 1 ? 0 : position[position.Length - own.Length + i];
        }

        return x[own];
    }

    /// <summary>Rounded towards 0; null for what the type does not hold, which each engine turns into something else.</summary>
    private static KnownElement? Whole(DataType type, double value) =>
        Math.Abs(value) < (type == DataType.Int32 ? int.MaxValue : (double)long.MaxValue) ? new KnownElement((long)value) : null;

    /// <summary>A run would round each result to the type.</summary>
    private static KnownElement Rounded(DataType type, double value) => KnownElement.OfNumber(type == DataType.Float ? (float)value : value);
}
