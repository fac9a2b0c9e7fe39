using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Shapes;

/// <summary>Reads axes and other integer lists that operators take as constant inputs or attributes.</summary>
internal static class Axes
{
    /// <summary>An axis counted from the front, 0 to rank − 1.</summary>
    /// <exception cref="OnnxFormatException">It lies outside −rank to rank − 1.</exception>
    public static int Normalize(GraphNode node, long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw node.Refuse($"axis {axis} lies outside {-rank} to {rank - 1}");

    /// <summary>The int64 values of an input that must be constant.</summary>
    /// <exception cref="OnnxFormatException">It is not.</exception>
    public static long[] Constant(GraphNode node, int input) => node.Input(input).Constant is { } content
        ? TensorContent.ReadInt64(content)
        : throw node.Refuse($"input {input} ('{node.Input(input).Name}') must be a constant to be known before a run");
}
