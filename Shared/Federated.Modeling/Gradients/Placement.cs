using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients;

/// <summary>Pieces of gradient that put elements back where a forward operator took them from.</summary>
internal static class Placement
{
    /// <summary>The shape of a value as an int64 vector: a constant where it is known.</summary>
    public static GraphValue ShapeOf(this GraphBuilder graph, GraphValue value) =>
        value.Shape.IsKnown ? graph.Int64Vector([.. value.Shape.Dimensions.Select(d => d.Size)]) : graph.Node("Shape", value);

    /// <summary>Zeros in the shape and of the type of a value.</summary>
    public static GraphValue ZerosLike(this GraphBuilder graph, GraphValue value) => graph.ZerosOf(value, graph.ShapeOf(value));

    /// <summary>Zeros in a row, as many as a value has elements and of its type.</summary>
    public static GraphValue ZerosInARow(this GraphBuilder graph, GraphValue value) => graph.ZerosOf(value, value.Shape.IsKnown
        ? graph.Int64Vector(value.Shape.KnownProduct)
        : graph.Node("Reshape", graph.Node("Size", value), graph.Int64Vector(1)));

    /// <summary>Surrounds a value with zeros along one axis, or cuts off where an amount is negative.</summary>
    public static GraphValue PadAxis(this GraphBuilder graph, GraphValue value, int axis, long before, long after)
    {
        if (before == 0 && after == 0)
        {
            return value;
        }

        long[] pads = new long[2 * value.Shape.Rank];
        pads[axis] = before;
        pads[axis + value.Shape.Rank] = after;
        return graph.Node("Pad", value, graph.Int64Vector(pads), graph.Scalar(value.ElementType, 0));
    }

    /// <summary>Dimensions in another order; the value itself if the order is the same.</summary>
    public static GraphValue Permute(this GraphBuilder graph, GraphValue value, params IReadOnlyList<int> order) =>
        order.SequenceEqual(Enumerable.Range(0, order.Count)) ? value : graph.Node("Transpose", NodeAttributes.None.With("perm", order.Select(o => (long)o)), value);

    private static GraphValue ZerosOf(this GraphBuilder graph, GraphValue like, GraphValue shape) => graph.Node(
        "ConstantOfShape", NodeAttributes.None.With("value", TensorContent.Floating(like.ElementType, [0], [1])), shape);
}
