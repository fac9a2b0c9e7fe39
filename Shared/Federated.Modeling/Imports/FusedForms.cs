using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Imports;

/// <summary>Operators that stand for a formula of others, written out. Those of <c>com.microsoft</c> are what ONNX Runtime's optimizer leaves in a file.</summary>
internal static class FusedForms
{
    private const float StandardEpsilon = 1e-5f;
    private const int GroupsScaleChannels = 21;
    private const float SkipEpsilon = 1e-12f; // ONNX Runtime's default for the operators that add a skip first.

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

    /// <summary>X / √(mean(X²) + epsilon) · scale, the mean over the dimensions from <c>axis</c> on (Zhang and Sennrich 2019, arXiv 1910.07467, equation 4).</summary>
    public static IReadOnlyList<GraphValue?> RmsNormalization(GraphBuilder graph, GraphNode node, long operatorSet) =>
        [Rms(graph, node, node.Input(0), node.Input(1), node.Attributes.IntegerOr("axis", -1), StandardEpsilon)];

    /// <summary>The same of X + skip + bias over the last dimension; the fourth output is that sum. The bias may be left out.</summary>
    public static IReadOnlyList<GraphValue?> SkipRmsNormalization(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        GraphValue sum = Skipped(graph, node, 3);
        return [Rms(graph, node, sum, node.Input(2), -1, SkipEpsilon), null, null, sum];
    }

    /// <summary>LayerNormalization of X + skip + bias over the last dimension; the fourth output is that sum. Shift and bias may be left out.</summary>
    public static IReadOnlyList<GraphValue?> SkipLayerNormalization(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        GraphValue sum = Skipped(graph, node, 4);
        NodeAttributes attributes = NodeAttributes.None.With("epsilon", node.Attributes.NumberOr("epsilon", SkipEpsilon));
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

        Term normalized = Normalize(node, new Term(graph, input), graph.Int64Vector(space));
        return [((normalized * PerChannel(graph, node, 1)) + PerChannel(graph, node, 2)).Value];
    }

    /// <summary>The same with mean and variance over space and the channels of a group (Wu and He 2018, arXiv 1803.08494, section 3): scale and shift [C].</summary>
    public static IReadOnlyList<GraphValue?> GroupNormalization(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        if (operatorSet < GroupsScaleChannels)
        {
            throw node.Refuse($"before operator set {GroupsScaleChannels} it has a scale for each group; export the model with {GroupsScaleChannels} or higher");
        }

        GraphValue input = node.Input(0);
        long groups = node.Attributes.IntegerOr("num_groups", 0);
        if (groups < 1 || input.Shape.Rank < 3 || input.Shape[1].IsSymbolic || input.Shape[1].Size % groups != 0)
        {
            throw node.Refuse($"attribute 'num_groups' is {groups}; it must divide the channels of {input.Shape}, which is [N, channels, …]");
        }

        GraphValue grouped = graph.Node("Reshape", input, graph.Int64Vector(0, groups, -1));
        GraphValue normalized = graph.ReshapeTo(Normalize(node, new Term(graph, grouped), graph.Int64Vector(2)).Value, input);
        return [((new Term(graph, normalized) * PerChannel(graph, node, 1)) + PerChannel(graph, node, 2)).Value];
    }

    private static Term Normalize(GraphNode node, Term x, GraphValue axes)
    {
        Term centered = x - x.Apply("ReduceMean", axes);
        Term variance = (centered * centered).Apply("ReduceMean", axes);
        return centered / (variance + node.Attributes.NumberOr("epsilon", StandardEpsilon)).Apply("Sqrt");
    }

    /// <summary>An input [C] as it is multiplied with [N, C, …].</summary>
    private static Term PerChannel(GraphBuilder graph, GraphNode node, int input) => new(graph, graph.Node(
        "Reshape", node.Input(input), graph.Int64Vector([-1, .. Enumerable.Repeat(1L, node.Input(0).Shape.Rank - 2)])));

    private static GraphValue Biased(GraphBuilder graph, GraphNode node) =>
        node.OptionalInput(1) is { } bias ? graph.Node("Add", node.Input(0), bias) : node.Input(0);

    private static GraphValue Skipped(GraphBuilder graph, GraphNode node, int bias)
    {
        GraphValue sum = graph.Node("Add", node.Input(0), node.Input(1));
        return node.OptionalInput(bias) is { } b ? graph.Node("Add", sum, b) : sum;
    }

    private static GraphValue Rms(GraphBuilder graph, GraphNode node, GraphValue input, GraphValue scale, long axis, float defaultEpsilon)
    {
        int rank = input.Shape.Rank;
        int first = Axes.Normalize(node, axis, rank);
        GraphValue axes = graph.Int64Vector([.. Enumerable.Range(first, rank - first).Select(i => (long)i)]);
        Term x = new(graph, input);
        Term meanSquare = (x * x).Apply("ReduceMean", axes);
        return (x / (meanSquare + node.Attributes.NumberOr("epsilon", defaultEpsilon)).Apply("Sqrt") * new Term(graph, scale)).Value;
    }
}
