using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Imports;

/// <summary>Sums, means and norms of the standard that are formulas of others, written out.</summary>
internal static class SumForms
{
    /// <summary>X₀ + X₁ + …, broadcast.</summary>
    public static IReadOnlyList<GraphValue?> Sum(GraphBuilder graph, GraphNode node, long operatorSet) => [Total(graph, node).Value];

    /// <summary>(X₀ + X₁ + … + Xₙ₋₁) / n, broadcast.</summary>
    public static IReadOnlyList<GraphValue?> Mean(GraphBuilder graph, GraphNode node, long operatorSet) => [(Total(graph, node) / node.Inputs.Length).Value];

    /// <summary>Σ |X| over axes.</summary>
    public static IReadOnlyList<GraphValue?> ReduceL1(GraphBuilder graph, GraphNode node, long operatorSet) =>
        [Sum(graph, node, graph.Node("Abs", node.Input(0)))];

    /// <summary>ln Σ X over axes.</summary>
    public static IReadOnlyList<GraphValue?> ReduceLogSum(GraphBuilder graph, GraphNode node, long operatorSet) =>
        [graph.Node("Log", Sum(graph, node, node.Input(0)))];

    /// <summary>X divided by its norm along an axis: Σ |X| for p = 1, √Σ X² for p = 2.</summary>
    public static IReadOnlyList<GraphValue?> LpNormalization(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        long p = node.Attributes.IntegerOr("p", 2);
        Term x = new(graph, node.Input(0));
        GraphValue axis = graph.Int64Vector(node.Attributes.IntegerOr("axis", -1));
        return p switch
        {
            1 => [(x / x.Apply("Abs").Apply("ReduceSum", axis)).Value],
            2 => [(x / x.Apply("ReduceL2", axis)).Value],
            _ => throw node.Refuse($"attribute 'p' is {p}; 1 and 2 are supported"),
        };
    }

    private static Term Total(GraphBuilder graph, GraphNode node) =>
        Enumerable.Range(0, node.Inputs.Length).Select(i => new Term(graph, node.Input(i))).Aggregate((a, b) => a + b);

    /// <summary>ReduceSum of a value as the node would reduce its input; axes may be an attribute still.</summary>
    private static GraphValue Sum(GraphBuilder graph, GraphNode node, GraphValue value)
    {
        if (node.Attributes.IntegerOr("noop_with_empty_axes", 0) != 0)
        {
            throw node.Refuse("attribute 'noop_with_empty_axes' is 1; 0 is supported");
        }

        NodeAttributes keep = NodeAttributes.None.With("keepdims", node.Attributes.IntegerOr("keepdims", 1));
        GraphValue? axes = node.Attributes.Integers("axes") is { } list ? graph.Int64Vector([.. list]) : node.OptionalInput(1);
        return axes is null ? graph.Node("ReduceSum", keep, value) : graph.Node("ReduceSum", keep, value, axes);
    }
}
