using Federated.Modeling.Graphs;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Shapes;

/// <summary>Poolings over one or two spatial dimensions: [N, C, …].</summary>
internal static class PoolingShapes
{
    public static InferredType[] MaxPool(GraphNode node)
    {
        if (node.Attributes.IntegerOr("storage_order", 0) != 0)
        {
            throw node.Refuse("attribute 'storage_order' is set; row-major indices (0) are supported");
        }

        TensorShape shape = Pooled(node, Window.OfPooling(node));
        return [new(node.Input(0).ElementType, shape), new(DataType.Int64, shape)];
    }

    public static InferredType[] AveragePool(GraphNode node)
    {
        Window window = Window.OfPooling(node);
        if (window.Dilations.Any(d => d != 1))
        {
            throw node.Refuse($"attribute 'dilations' is [{string.Join(", ", window.Dilations)}]; 1 is supported");
        }

        TensorShape shape = Pooled(node, window);
        bool hangsOver = Enumerable.Range(0, window.Spatial).Any(i =>
            ((shape[i + 2].Size - 1) * window.Strides[i]) + window.Reach(i) > node.Input(0).Shape[i + 2].Size + window.PadsBegin[i] + window.PadsEnd[i]);
        return hangsOver && node.Attributes.IntegerOr("count_include_pad", 0) != 0
            ? throw node.Refuse("attribute 'count_include_pad' is set and the last window hangs over the padding ('ceil_mode'); implementations count differently there")
            : [new(node.Input(0).ElementType, shape)];
    }

    /// <summary>One element a channel.</summary>
    public static InferredType[] Global(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        return shape.Rank > 2
            ? [new(node.Input(0).ElementType, TensorShape.Of([shape[0], shape[1], .. shape.Dimensions[2..].Select(_ => Dimension.Of(1))]))]
            : throw node.Refuse($"input 0 has shape {shape}; [N, channels, …] is needed");
    }

    public static InferredType[] MaxUnpool(GraphNode node)
    {
        if (node.OptionalInput(2) is not null)
        {
            return [new(node.Input(0).ElementType, Axes.Shape(node, 2))];
        }

        Window window = Window.OfPooling(node);
        TensorShape input = node.Input(0).Shape;
        return [new(node.Input(0).ElementType, TensorShape.Of(
            [input[0], input[1], .. Enumerable.Range(0, window.Spatial).Select(i => Dimension.Of(window.TransposedOutput(input, i)))]))];
    }

    private static TensorShape Pooled(GraphNode node, Window window) =>
        TensorShape.Of([node.Input(0).Shape[0], node.Input(0).Shape[1], .. ConvolutionShapes.Outputs(node, window)]);
}
