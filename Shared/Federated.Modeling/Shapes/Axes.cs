using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Shapes;

/// <summary>Reads axes and other integer lists that operators take as known inputs or attributes.</summary>
internal static class Axes
{
    /// <summary>An axis counted from the front, 0 to rank − 1.</summary>
    /// <exception cref="OnnxFormatException">It lies outside −rank to rank − 1.</exception>
    public static int Normalize(GraphNode node, long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw node.Refuse($"axis {axis} lies outside {-rank} to {rank - 1}");

    /// <summary>The whole numbers of an input that must be known before a run.</summary>
    /// <exception cref="OnnxFormatException">It is not.</exception>
    public static long[] Constant(GraphNode node, int input) => node.Input(input).Content is { IsComplete: true, IsFloating: false } content
        ? [.. content.Elements.Select(e => e.Integer)]
        : throw node.Refuse($"input {input} ('{node.Input(input).Name}') must be a constant to be known before a run");

    /// <summary>The one whole number of an input that must be known before a run, or the default when it is left out.</summary>
    /// <exception cref="OnnxFormatException">It is not known, or several.</exception>
    public static long ConstantOr(GraphNode node, int input, long defaultValue) => node.OptionalInput(input) is null ? defaultValue
        : Constant(node, input) is [long value] ? value
        : throw node.Refuse($"input {input} ('{node.Input(input).Name}') must be one number");

    /// <summary>The shape an input spells, symbols included.</summary>
    /// <exception cref="OnnxFormatException">Its elements are not known before a run.</exception>
    public static TensorShape Shape(GraphNode node, int input) => node.Input(input).Content?.ToShape()
        ?? throw node.Refuse($"input {input} ('{node.Input(input).Name}') must spell a shape that is known before a run, apart from symbolic dimensions");

    /// <summary>Where each dimension of a Transpose comes from; without the attribute, reversed.</summary>
    public static IReadOnlyList<int> Order(GraphNode node) =>
        node.Attributes.Integers("perm") is { } order ? [.. order.Select(o => (int)o)] : [.. Enumerable.Range(0, node.Input(0).Shape.Rank).Reverse()];
}
