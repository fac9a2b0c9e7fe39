using System.Collections.Immutable;
using Federated.Modeling.Graphs;

namespace Federated.Modeling.Shapes;

/// <summary>Convolutions over one or two spatial dimensions: [N, C, …].</summary>
internal static class ConvolutionShapes
{
    public static InferredType[] Conv(GraphNode node)
    {
        Window window = Window.OfConvolution(node);
        TensorShape input = node.Input(0).Shape;
        TensorShape weight = node.Input(1).Shape;
        Dimension wanted = DimensionProduct.Of(weight[1], window.Group).ToDimension();
        bool divides = window.Group == 1 || (window.Group > 1 && !weight[0].IsSymbolic && weight[0].Size % window.Group == 0);
        if (input[1] != wanted || !divides)
        {
            throw node.Refuse($"input {input} and weight {weight} do not fit with attribute 'group' {window.Group}");
        }

        RequireBias(node, weight[0]);
        return [new(ElementwiseShapes.SameType(node, 0, 1), TensorShape.Of([input[0], weight[0], .. Outputs(node, window)]))];
    }

    public static InferredType[] ConvTranspose(GraphNode node)
    {
        if (node.Attributes.Has("output_shape"))
        {
            throw node.Refuse("attribute 'output_shape' is set; give 'pads' and 'output_padding' instead");
        }

        Window window = Window.OfConvolution(node);
        TensorShape input = node.Input(0).Shape;
        TensorShape weight = node.Input(1).Shape;
        if (input[1] != weight[0] || window.Group < 1 || (window.Group > 1 && (weight[0].IsSymbolic || weight[0].Size % window.Group != 0)))
        {
            throw node.Refuse($"input {input} and weight {weight} do not fit with attribute 'group' {window.Group}");
        }

        Dimension channels = DimensionProduct.Of(weight[1], window.Group).ToDimension();
        RequireBias(node, channels);
        IReadOnlyList<long> extra = node.Attributes.Integers("output_padding") ?? [.. window.Kernel.Select(_ => 0L)];
        return extra.Count == window.Spatial
            ? [new(ElementwiseShapes.SameType(node, 0, 1), TensorShape.Of(
                [input[0], channels, .. extra.Select((e, i) => Dimension.Of(window.TransposedOutput(input, i) + e))]))]
            : throw node.Refuse($"attribute 'output_padding' is [{string.Join(", ", extra)}]; {window.Spatial} values are needed");
    }

    /// <summary>The spatial dimensions of the output.</summary>
    public static ImmutableArray<Dimension> Outputs(GraphNode node, Window window) =>
        [.. Enumerable.Range(0, window.Spatial).Select(i => Dimension.Of(window.Output(node, i)))];

    private static void RequireBias(GraphNode node, Dimension channels)
    {
        if (node.OptionalInput(2) is { } bias && !bias.Shape.Equals(TensorShape.Of(channels)))
        {
            throw node.Refuse($"input 2, the bias {bias}, must have shape [{channels}]");
        }
    }
}
