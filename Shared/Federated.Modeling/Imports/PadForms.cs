using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Imports;

/// <summary>Padding with elements of the tensor itself: a Gather along each padded dimension, at places that are known.</summary>
internal static class PadForms
{
    /// <summary>Modes reflect and edge; null for constant.</summary>
    public static IReadOnlyList<GraphValue?>? Pad(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        string mode = node.Attributes.TextOr("mode", "constant");
        if (mode == "constant")
        {
            return null;
        }

        GraphValue value = node.Input(0);
        (IReadOnlyList<long> before, IReadOnlyList<long> after) = PadAmounts.Of(node.With(attributes: node.Attributes.Without("mode")));
        for (int axis = 0; axis < value.Shape.Rank; axis++)
        {
            if (before[axis] == 0 && after[axis] == 0)
            {
                continue;
            }

            Dimension dimension = value.Shape[axis];
            long limit = mode == "reflect" ? dimension.Size - 1 : int.MaxValue;
            if (dimension.IsSymbolic || Math.Min(before[axis], after[axis]) < 0 || Math.Max(before[axis], after[axis]) > limit)
            {
                throw node.Refuse(
                    $"with mode '{mode}' dimension {axis} of {value.Shape} is padded by {before[axis]} and {after[axis]}; a known dimension and 0 to {limit} are supported");
            }

            long[] places = [.. Enumerable.Range(0, checked((int)(before[axis] + dimension.Size + after[axis]))).Select(i => Source(mode, i - before[axis], dimension.Size))];
            value = graph.Node("Gather", NodeAttributes.None.With("axis", axis), value, graph.Int64Vector(places));
        }

        return [value];

        long Source(string how, long place, long size) => how switch
        {
            "edge" => Math.Clamp(place, 0, size - 1),
            "reflect" => place < 0 ? -place : place >= size ? (2 * (size - 1)) - place : place,
            _ => throw node.Refuse($"attribute 'mode' is '{how}'; constant, reflect and edge are supported"),
        };
    }
}
