using Federated.Modeling.Graphs;
using Federated.Modeling.Graphs.Folding;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Slices of the data by index: each slice's gradient is added where the slice was taken from, by ScatterND over the axis brought to the front. One index
/// that is known before a run is surrounded with zeros instead. ONNX Runtime adds in the order of the indices on one thread; with several threads in an
/// operator slices of the same index may race, so sessions that train run on one.
/// </summary>
internal sealed class GatherGradient : IGradientRule
{
    public string OperatorType => "Gather";

    public void Backward(GradientContext context)
    {
        GraphNode node = context.Node;
        GraphValue data = node.Input(0);
        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", 0), data.Shape.Rank);
        bool one = node.Input(1).Content is { IsComplete: true, Elements.Length: 1 } && !data.Shape[axis].IsSymbolic;
        context.Accumulate(0, one ? Surrounded(context, axis) : Added(context, axis));
    }

    private static GraphValue Surrounded(GradientContext context, int axis)
    {
        GraphBuilder graph = context.Graph;
        GraphValue data = context.Node.Input(0);
        KnownContent index = context.Node.Input(1).Content!;
        long size = data.Shape[axis].Size;
        long place = index.Elements[0].Integer < 0 ? index.Elements[0].Integer + size : index.Elements[0].Integer;
        GraphValue slice = context.OutputGradient;
        if (index.Shape.Length == 0)
        {
            slice = graph.Node("Unsqueeze", slice, graph.Int64Vector(axis));
        }
        else if (index.Shape.Length > 1)
        {
            slice = graph.Node("Squeeze", slice, graph.Int64Vector([.. Enumerable.Range(axis + 1, index.Shape.Length - 1).Select(a => (long)a)]));
        }

        return graph.PadAxis(slice, axis, place, size - 1 - place);
    }

    private static GraphValue Added(GradientContext context, int axis)
    {
        GraphBuilder graph = context.Graph;
        GraphValue data = context.Node.Input(0);
        int rank = data.Shape.Rank;
        GraphValue indices = context.Node.Input(1);
        int indexRank = indices.Shape.Rank;
        int[] others = [.. Enumerable.Range(0, rank).Where(i => i != axis)];
        int[] inGradient = [.. others.Select(i => i < axis ? i : i + indexRank - 1)];
        GraphValue slices = graph.Permute(context.OutputGradient, [.. Enumerable.Range(axis, indexRank), .. inGradient]);
        GraphValue places = graph.Node("Unsqueeze", AsInt64(graph, indices), graph.Int64Vector(-1));
        GraphValue zeros = graph.ZerosLike(graph.Permute(data, [axis, .. others]));
        GraphValue sums = graph.Node("ScatterND", NodeAttributes.None.With("reduction", "add"), zeros, places, slices);
        return graph.Permute(sums, [.. Enumerable.Range(0, rank).Select(i => i == axis ? 0 : i < axis ? i + 1 : i)]);
    }

    private static GraphValue AsInt64(GraphBuilder graph, GraphValue indices) => indices.ElementType == TensorProto.Types.DataType.Int64
        ? indices
        : graph.Node("Cast", NodeAttributes.None.With("to", (long)TensorProto.Types.DataType.Int64), indices);
}
