using Federated.Modeling.Graphs;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Shapes;

/// <summary>Convolution and pooling over two spatial dimensions: [N, C, H, W].</summary>
internal static class ConvolutionShapes
{
    public static InferredType[] Conv(GraphNode node)
    {
        TensorShape input = Images(node, 0);
        TensorShape weight = Images(node, 1);
        Window window = Window.Of(node, [weight[2].Size, weight[3].Size]);
        Dimension wanted = window.Group == 1 ? weight[1] : weight[1].Size * window.Group;
        if (input[1] != wanted || (window.Group != 1 && (weight[1].IsSymbolic || weight[0].IsSymbolic || weight[0].Size % window.Group != 0)))
        {
            throw node.Refuse($"input {input} and weight {weight} do not fit with group {window.Group}");
        }

        return [new(ElementwiseShapes.SameType(node, 0, 1), TensorShape.Of(input[0], weight[0], window.Output(node, input, 0), window.Output(node, input, 1)))];
    }

    public static InferredType[] ConvTranspose(GraphNode node)
    {
        TensorShape input = Images(node, 0);
        TensorShape weight = Images(node, 1);
        Window window = Window.Of(node, [weight[2].Size, weight[3].Size]);
        IReadOnlyList<long> extra = node.Attributes.Integers("output_padding") ?? [0, 0];
        return [new(ElementwiseShapes.SameType(node, 0, 1), TensorShape.Of(
            input[0],
            window.Group == 1 ? weight[1] : weight[1].Size * window.Group,
            window.TransposedOutput(input, 0) + extra[0],
            window.TransposedOutput(input, 1) + extra[1]))];
    }

    public static InferredType[] MaxPool(GraphNode node)
    {
        TensorShape input = Images(node, 0);
        IReadOnlyList<long> kernel = node.Attributes.Integers("kernel_shape") ?? throw node.Refuse("attribute 'kernel_shape' is missing");
        Window window = Window.Of(node, kernel);
        if (node.Attributes.IntegerOr("ceil_mode", 0) != 0 || node.Attributes.IntegerOr("storage_order", 0) != 0)
        {
            throw node.Refuse("attributes 'ceil_mode' and 'storage_order' are supported with the value 0 only");
        }

        TensorShape shape = TensorShape.Of(input[0], input[1], window.Output(node, input, 0), window.Output(node, input, 1));
        return [new(node.Input(0).ElementType, shape), new(DataType.Int64, shape)];
    }

    public static InferredType[] MaxUnpool(GraphNode node)
    {
        TensorShape input = Images(node, 0);
        if (node.OptionalInput(2) is { } stated)
        {
            return [new(node.Input(0).ElementType, stated.Describes ?? TensorShape.OfSizes(Axes.Constant(node, 2)))];
        }

        IReadOnlyList<long> kernel = node.Attributes.Integers("kernel_shape") ?? throw node.Refuse("attribute 'kernel_shape' is missing");
        Window window = Window.Of(node, kernel);
        return [new(node.Input(0).ElementType, TensorShape.Of(
            input[0], input[1], window.TransposedOutput(input, 0), window.TransposedOutput(input, 1)))];
    }

    private static TensorShape Images(GraphNode node, int index)
    {
        TensorShape shape = node.Input(index).Shape;
        return shape.Rank == 4 && !shape[2].IsSymbolic && !shape[3].IsSymbolic
            ? shape
            : throw node.Refuse($"input {index} has shape {shape}; [N, channels, height, width] with known height and width is supported");
    }
}
