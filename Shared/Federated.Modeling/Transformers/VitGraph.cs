using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Transformers;

/// <summary>
/// Builds a vision transformer with normalization before each part. Deviation from the paper: the head looks at the mean of all patches
/// instead of an extra class token (Beyer et al. 2022, arXiv 2205.01580, find it as good).
/// </summary>
internal static class VitGraph
{
    private const double NormEpsilon = 1e-6;

    /// <summary>The forward graph: pixels [N, channels, height, width] to scores [N, classes].</summary>
    /// <exception cref="ArgumentException">Sizes do not fit each other.</exception>
    public static ForwardModel Build(VitSpec spec, FrozenWeights? frozen)
    {
        ArgumentNullException.ThrowIfNull(spec);
        spec.Demand();
        (int channels, int rows, int columns) = (spec.ImageShape[0], spec.ImageShape[1] / spec.Patch, spec.ImageShape[2] / spec.Patch);
        int patches = rows * columns;
        LayerGraph graph = new($"vit-{spec.Layers}x{spec.Width}", [.. spec.ImageShape], frozen);

        // Patches as rows: [N, channels, rows, p, columns, p] to [N·patches, channels·p·p], which a dense layer embeds.
        GraphValue cut = graph.Reshape(graph.Features, -1, channels, rows, spec.Patch, columns, spec.Patch);
        GraphValue pixels = graph.Reshape(graph.Transpose(cut, 0, 2, 4, 1, 3, 5), -1, (long)channels * spec.Patch * spec.Patch);
        GraphValue embedded = graph.Reshape(graph.Linear("embedding", pixels, spec.Width, Initialization.Glorot, bias: true), -1, patches, spec.Width);
        GraphValue positions = graph.Parameter("positions", [patches, spec.Width], Initialization.Small, patches, spec.Width);
        GraphValue x = graph.Reshape(graph.Graph.Node("Add", embedded, positions), -1, spec.Width);
        for (int i = 0; i < spec.Layers; i++)
        {
            string layer = $"layers.{i}";
            x = graph.Graph.Node("Add", x, Attend(graph, spec, patches, $"{layer}.attention", Norm(graph, spec, $"{layer}.norm1", x)));
            GraphValue raised = graph.Linear($"{layer}.up", Norm(graph, spec, $"{layer}.norm2", x), spec.FeedForward, Initialization.Glorot, bias: true);
            x = graph.Graph.Node("Add", x, graph.Linear($"{layer}.down", graph.Graph.Node("Gelu", raised), spec.Width, Initialization.Glorot, bias: true));
        }

        GraphValue all = graph.Reshape(Norm(graph, spec, "norm", x), -1, patches, spec.Width);
        GraphValue mean = graph.Graph.Node("ReduceMean", NodeAttributes.None.With("keepdims", 0), all, graph.Graph.Int64Vector(1));
        return graph.Model(graph.Linear("head", mean, spec.Classes, Initialization.Glorot, bias: true));
    }

    private static GraphValue Norm(LayerGraph graph, VitSpec spec, string name, GraphValue x) => graph.Graph.Node(
        "LayerNormalization",
        NodeAttributes.None.With("epsilon", (float)NormEpsilon),
        x,
        graph.Parameter($"{name}.weight", [spec.Width], Initialization.One, spec.Width, spec.Width),
        graph.Parameter($"{name}.bias", [spec.Width], Initialization.Zero, spec.Width, spec.Width));

    // A bias of the keys shifts all scores of a patch alike, which the softmax does not see: there is none.
    private static GraphValue Attend(LayerGraph graph, VitSpec spec, int patches, string name, GraphValue x)
    {
        int width = spec.Width / spec.Heads;
        GraphValue Heads(string part, params ReadOnlySpan<long> order) => graph.Transpose(
            graph.Reshape(graph.Linear($"{name}.{part}", x, spec.Width, Initialization.Glorot, bias: part != "key"), -1, patches, spec.Heads, width), order);

        Term scores = new Term(graph.Graph, graph.Graph.Node("MatMul", Heads("query", 0, 2, 1, 3), Heads("key", 0, 2, 3, 1))) * (1 / Math.Sqrt(width));
        GraphValue weights = scores.Apply("Softmax", NodeAttributes.None.With("axis", -1)).Value;
        GraphValue mixed = graph.Transpose(graph.Graph.Node("MatMul", weights, Heads("value", 0, 2, 1, 3)), 0, 2, 1, 3);
        return graph.Linear($"{name}.output", graph.Reshape(mixed, -1, spec.Width), spec.Width, Initialization.Glorot, bias: true);
    }
}
