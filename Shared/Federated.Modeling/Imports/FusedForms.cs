using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Imports;

/// <summary>Operators that stand for a formula of others, written out. Those of <c>com.microsoft</c> are what ONNX Runtime's optimizer leaves in a file.</summary>
internal static class FusedForms
{
    /// <summary>Gelu(X + B); B may be left out.</summary>
    public static IReadOnlyList<GraphValue?> BiasGelu(GraphBuilder graph, GraphNode node, long operatorSet) =>
        [graph.Node("Gelu", Biased(graph, node))];

    /// <summary>Gelu(X + B) by its approximation with tanh; B may be left out.</summary>
    public static IReadOnlyList<GraphValue?> FastGelu(GraphBuilder graph, GraphNode node, long operatorSet) =>
        [graph.Node("Gelu", NodeAttributes.None.With("approximate", "tanh"), Biased(graph, node))];

    /// <summary>X · sigmoid(alpha · X).</summary>
    public static IReadOnlyList<GraphValue?> QuickGelu(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        Term x = new(graph, node.Input(0));
        return [(x * (x * node.Attributes.NumberOr("alpha", 1.702f)).Apply("Sigmoid")).Value];
    }

    /// <summary>alpha · A' · B', where a prime swaps the last two dimensions if the attribute asks for it.</summary>
    public static IReadOnlyList<GraphValue?> FusedMatMul(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        foreach (string attribute in new[] { "transBatchA", "transBatchB" })
        {
            if (node.Attributes.IntegerOr(attribute, 0) != 0)
            {
                throw node.Refuse($"attribute '{attribute}' is {node.Attributes.IntegerOr(attribute, 0)}; 0 is supported");
            }
        }

        Term product = new(graph, graph.Node("MatMul", Operand(0, "transA"), Operand(1, "transB")));
        float alpha = node.Attributes.NumberOr("alpha", 1);
        return [(alpha == 1 ? product : product * alpha).Value];

        GraphValue Operand(int input, string transposition) => node.Attributes.IntegerOr(transposition, 0) == 0 || node.Input(input).Shape.Rank < 2
            ? node.Input(input)
            : graph.SwapLastTwo(node.Input(input));
    }

    /// <summary>X₀ + X₁ + …, broadcast.</summary>
    public static IReadOnlyList<GraphValue?> Sum(GraphBuilder graph, GraphNode node, long operatorSet) =>
        [Enumerable.Range(0, node.Inputs.Length).Select(node.Input).Aggregate((a, b) => graph.Node("Add", a, b))];

    /// <summary>X / √(mean(X²) + epsilon) · scale, the mean over the dimensions from <c>axis</c> on (Zhang and Sennrich 2019, arXiv 1910.07467, equation 4).</summary>
    public static IReadOnlyList<GraphValue?> RmsNormalization(GraphBuilder graph, GraphNode node, long operatorSet) =>
        [Rms(graph, node, node.Input(0), node.Input(1), node.Attributes.IntegerOr("axis", -1))];

    /// <summary>The same of X + skip + bias over the last dimension; the fourth output is that sum. The bias may be left out.</summary>
    public static IReadOnlyList<GraphValue?> SkipRmsNormalization(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        GraphValue sum = Skipped(graph, node, 3);
        return [Rms(graph, node, sum, node.Input(2), -1), null, null, sum];
    }

    /// <summary>LayerNormalization of X + skip + bias over the last dimension; the fourth output is that sum. Shift and bias may be left out.</summary>
    public static IReadOnlyList<GraphValue?> SkipLayerNormalization(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        GraphValue sum = Skipped(graph, node, 4);
        NodeAttributes attributes = NodeAttributes.None.With("epsilon", node.Attributes.NumberOr("epsilon", 1e-12f));
        GraphValue?[] inputs = node.OptionalInput(3) is { } shift ? [sum, node.Input(2), shift] : [sum, node.Input(2)];
        return [graph.Node("LayerNormalization", attributes, inputs), null, null, sum];
    }

    /// <summary>(X − mean) / √(variance + epsilon) · scale + shift, mean and variance over space: X [N, C, …], scale and shift [C].</summary>
    public static IReadOnlyList<GraphValue?> InstanceNormalization(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        GraphValue input = node.Input(0);
        long[] space = [.. Enumerable.Range(2, Math.Max(0, input.Shape.Rank - 2)).Select(i => (long)i)];
        if (space.Length == 0)
        {
            throw node.Refuse($"input 0 has shape {input.Shape}; [N, channels, …] with at least one dimension of space is needed");
        }

        GraphValue perChannel = graph.Int64Vector([-1, .. space.Select(_ => 1L)]);
        GraphValue axes = graph.Int64Vector(space);
        Term x = new(graph, input);
        Term centered = x - x.Apply("ReduceMean", axes);
        Term variance = (centered * centered).Apply("ReduceMean", axes);
        Term normalized = centered / (variance + node.Attributes.NumberOr("epsilon", 1e-5f)).Apply("Sqrt");
        return [((normalized * Channel(1)) + Channel(2)).Value];

        Term Channel(int i) => new(graph, graph.Node("Reshape", node.Input(i), perChannel));
    }

    private static GraphValue Biased(GraphBuilder graph, GraphNode node) =>
        node.OptionalInput(1) is { } bias ? graph.Node("Add", node.Input(0), bias) : node.Input(0);

    private static GraphValue Skipped(GraphBuilder graph, GraphNode node, int bias)
    {
        GraphValue sum = graph.Node("Add", node.Input(0), node.Input(1));
        return node.OptionalInput(bias) is { } b ? graph.Node("Add", sum, b) : sum;
    }

    private static GraphValue Rms(GraphBuilder graph, GraphNode node, GraphValue input, GraphValue scale, long axis)
    {
        int rank = input.Shape.Rank;
        int first = Axes.Normalize(node, axis, rank);
        GraphValue axes = graph.Int64Vector([.. Enumerable.Range(first, rank - first).Select(i => (long)i)]);
        Term x = new(graph, input);
        Term meanSquare = (x * x).Apply("ReduceMean", axes);
        return (x / (meanSquare + node.Attributes.NumberOr("epsilon", 1e-5f)).Apply("Sqrt") * new Term(graph, scale)).Value;
    }
}
