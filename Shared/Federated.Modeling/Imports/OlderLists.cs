using System.Collections.Frozen;
using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Imports;

/// <summary>
/// Forms of earlier operator sets that differ from the present one in how one node is written: lists and numbers that were attributes and are inputs now,
/// operators that were renamed, and padding that <c>auto_pad</c> leaves to the runtime. Source: the change log of the ONNX operators (Changelog.md).
/// </summary>
internal static class OlderLists
{
    private const int ResizeWithRegion = 11;

    /// <summary>Operators that later sets no longer have, and what takes their place.</summary>
    private static readonly FrozenDictionary<string, Func<GraphBuilder, GraphNode, GraphNode>> Replaced =
        new Dictionary<string, Func<GraphBuilder, GraphNode, GraphNode>>(StringComparer.Ordinal)
        {
            ["Scatter"] = (_, node) => node.With("ScatterElements"),
            ["Upsample"] = Upsample,
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Names of the operators that are gone once <see cref="Apply"/> has seen them, in no order.</summary>
    public static IEnumerable<string> Operators => Replaced.Keys;

    /// <summary>The present form of a node, or the node itself; constants it needs are added to the graph.</summary>
    /// <param name="graph">Where constants go.</param>
    /// <param name="node">As the file has it, outputs left out.</param>
    /// <param name="operatorSet">The file's version of the standard operators.</param>
    public static GraphNode Apply(GraphBuilder graph, GraphNode node, long operatorSet) => node.OperatorType switch
    {
        "Squeeze" or "Unsqueeze" => Moved(graph, node, "axes", 1),
        "Split" => Moved(graph, node, "split", 1),
        "Slice" => Slice(graph, node),
        "Pad" => Pad(graph, node),
        "Dropout" => node.With(attributes: node.Attributes.Without("ratio")),
        "Resize" when operatorSet < ResizeWithRegion => Resize(node, node.Input(1)),
        "Conv" or "ConvTranspose" when node.Attributes.Has("auto_pad") => ExplicitPads(node, Window.OfConvolution(node)),
        "AveragePool" or "MaxPool" when node.Attributes.Has("auto_pad") => ExplicitPads(node, Window.OfPooling(node)),
        _ => Replaced.TryGetValue(node.OperatorType, out Func<GraphBuilder, GraphNode, GraphNode>? replace) ? replace(graph, node) : node,
    };

    /// <summary>An attribute that later became an input, unless the input is there.</summary>
    private static GraphNode Moved(GraphBuilder graph, GraphNode node, string attribute, int input)
    {
        if (node.Attributes.Integers(attribute) is not { } values)
        {
            return node;
        }

        ImmutableArray<GraphValue?> inputs = [.. node.Inputs.Take(input), graph.Int64Vector([.. values])];
        return node.With(inputs: inputs, attributes: node.Attributes.Without(attribute));
    }

    private static GraphNode Slice(GraphBuilder graph, GraphNode node)
    {
        if (node.Attributes.Integers("starts") is not { } starts || node.Attributes.Integers("ends") is not { } ends)
        {
            return node;
        }

        IReadOnlyList<long> axes = node.Attributes.Integers("axes") ?? [.. starts.Select((_, i) => (long)i)];
        return node.With(
            inputs: [node.Input(0), graph.Int64Vector([.. starts]), graph.Int64Vector([.. ends]), graph.Int64Vector([.. axes])],
            attributes: NodeAttributes.None);
    }

    private static GraphNode Pad(GraphBuilder graph, GraphNode node)
    {
        if (node.Attributes.Integers("pads") is not { } pads)
        {
            return node;
        }

        GraphValue value = graph.Scalar(node.Input(0).ElementType, node.Attributes.NumberOr("value", 0));
        return node.With(
            inputs: [node.Input(0), graph.Int64Vector([.. pads]), value], attributes: node.Attributes.Without("pads").Without("value"));
    }

    private static GraphNode Upsample(GraphBuilder graph, GraphNode node) => Resize(
        node.With(attributes: node.Attributes.Without("scales")),
        node.Attributes.Numbers("scales") is { } scales
            ? graph.Constant(TensorContent.Floating(TensorProto.Types.DataType.Float, [.. scales.Select(s => (double)s)], [scales.Count]))
            : node.Input(1));

    /// <summary>Before regions were added, coordinates were divided and rounded down.</summary>
    private static GraphNode Resize(GraphNode node, GraphValue scales) => node.With(
        "Resize",
        [node.Input(0), null, scales],
        node.Attributes.With("coordinate_transformation_mode", "asymmetric").With("nearest_mode", "floor"));

    /// <summary>Padding in numbers; ONNX Runtime does not work it out where a convolution has dilations.</summary>
    private static GraphNode ExplicitPads(GraphNode node, Window window) =>
        node.With(attributes: node.Attributes.Without("auto_pad").With("pads", window.Pads));
}
