using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Graphs;

/// <summary>
/// Writes SoftmaxCrossEntropyLoss with mean reduction as LogSoftmax, GatherElements and a mean. Inference engines need no kernel of its own for
/// it then, and the gradient shares the log-probabilities.
/// </summary>
internal static class LossLowering
{
    /// <summary>Replaces every such node of the graph; others stay.</summary>
    public static void Apply(GraphBuilder graph)
    {
        foreach (GraphNode node in graph.Nodes.Where(CanLower).ToList())
        {
            graph.Replace(node, () => Lower(graph, node));
        }
    }

    /// <summary>1 where a label counts and 0 where it is the ignored one, and how many count (at least 1, as a divisor).</summary>
    public static (GraphValue Mask, GraphValue Count) Counted(GraphBuilder graph, GraphNode node, DataType type)
    {
        GraphValue ignored = graph.Constant(TensorContent.Integers([node.Attributes.IntegerOr("ignore_index", 0)], []));
        GraphValue isIgnored = graph.Node("Cast", NodeAttributes.None.With("to", (long)type), graph.Node("Equal", node.Input(1), ignored));
        GraphValue mask = graph.Node("Sub", graph.Scalar(type, 1), isIgnored);
        GraphValue sum = graph.Node("ReduceSum", NodeAttributes.None.With("keepdims", 0), mask);
        GraphValue isZero = graph.Node("Cast", NodeAttributes.None.With("to", (long)type), graph.Node("Equal", sum, graph.Scalar(type, 0)));
        return (mask, graph.Node("Add", sum, isZero));
    }

    /// <summary>The labels with 0 in the place of the ignored one, which is no index.</summary>
    public static GraphValue Indices(GraphBuilder graph, GraphNode node, GraphValue mask) =>
        graph.Node("Mul", node.Input(1), graph.Node("Cast", NodeAttributes.None.With("to", (long)DataType.Int64), mask));

    private static IReadOnlyList<GraphValue?> Lower(GraphBuilder graph, GraphNode node)
    {
        GraphValue logProbabilities = graph.Node("LogSoftmax", NodeAttributes.None.With("axis", 1), node.Input(0));
        if (!node.Attributes.Has("ignore_index"))
        {
            GraphValue mean = graph.Node("ReduceMean", NodeAttributes.None.With("keepdims", 0), Chosen(graph, logProbabilities, node.Input(1)));
            return [graph.Node("Neg", mean), logProbabilities];
        }

        (GraphValue mask, GraphValue count) = Counted(graph, node, logProbabilities.ElementType);
        GraphValue column = graph.Node("Unsqueeze", mask, graph.Int64Vector(1));
        GraphValue counted = graph.Node("Mul", Chosen(graph, logProbabilities, Indices(graph, node, mask)), column);
        GraphValue sum = graph.Node("ReduceSum", NodeAttributes.None.With("keepdims", 0), counted);
        return [graph.Node("Neg", graph.Node("Div", sum, count)), logProbabilities];
    }

    private static GraphValue Chosen(GraphBuilder graph, GraphValue logProbabilities, GraphValue labels) => graph.Node(
        "GatherElements", NodeAttributes.None.With("axis", 1), logProbabilities, graph.Node("Unsqueeze", labels, graph.Int64Vector(1)));

    private static bool CanLower(GraphNode node) => node.OperatorType == "SoftmaxCrossEntropyLoss"
        && node.OptionalInput(2) is null
        && node.Attributes.TextOr("reduction", "mean") == "mean";
}
