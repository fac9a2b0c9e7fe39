using Federated.Modeling.Onnx;

namespace Federated.Modeling.Graphs;

/// <summary>
/// Writes SoftmaxCrossEntropyLoss with mean reduction as LogSoftmax, GatherElements, ReduceMean and Neg. Inference engines
/// need no kernel of its own for it then, and the gradient shares the log-probabilities.
/// </summary>
internal static class LossLowering
{
    /// <summary>Replaces every such node of the graph; others stay.</summary>
    public static void Apply(GraphBuilder graph)
    {
        foreach (GraphNode node in graph.Nodes.Where(CanLower).ToList())
        {
            graph.Replace(node, () =>
            {
                GraphValue logProbabilities = graph.Node("LogSoftmax", NodeAttributes.None.With("axis", 1), node.Input(0));
                GraphValue labels = graph.Node("Unsqueeze", node.Input(1), graph.Int64Vector(1));
                GraphValue chosen = graph.Node("GatherElements", NodeAttributes.None.With("axis", 1), logProbabilities, labels);
                GraphValue mean = graph.Node("ReduceMean", NodeAttributes.None.With("keepdims", 0), chosen);
                return [graph.Node("Neg", mean), logProbabilities];
            });
        }
    }

    private static bool CanLower(GraphNode node) => node.OperatorType == "SoftmaxCrossEntropyLoss"
        && node.OptionalInput(2) is null
        && !node.Attributes.Has("ignore_index")
        && node.Attributes.TextOr("reduction", "mean") == "mean";
}
