using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// The gradient of a convolution's weight, [M, C, kernel height, kernel width], in two forms. Both sum X · dY over batch and space for each offset
/// of the kernel; they differ in what ONNX Runtime makes of them.
/// </summary>
internal static class ConvWeightGradient
{
    /// <summary>Below this many channels the matrices of <see cref="ByColumns"/> are too narrow to pay for their copies.</summary>
    private const long MinChannelsForColumns = 16;

    private static readonly NodeAttributes s_swapBatchAndChannels = NodeAttributes.None.With("perm", [1, 0, 2, 3]);

    /// <summary>Appends the faster form that supports the node.</summary>
    /// <exception cref="OnnxFormatException">The convolution has groups.</exception>
    public static GraphValue Append(GraphBuilder graph, GraphNode node, GraphValue gradient, Window window)
    {
        if (window.Group != 1)
        {
            throw node.Refuse($"attribute 'group' is {window.Group}; the weight's gradient is supported for 1");
        }

        bool plain = window.Strides.Concat(window.Dilations).All(s => s == 1);
        Dimension channels = node.Input(1).Shape[1];
        return plain && !channels.IsSymbolic && channels.Size >= MinChannelsForColumns
            ? ByColumns(graph, node, gradient, window)
            : ByConvolution(graph, node, gradient, window);
    }

    /// <summary>
    /// X as [C, N, H, W] convolved with dY as [M, N, H', W'] gives [C, M, kernel…]. Stride and dilation change places: dY's elements lie a
    /// stride apart in X, and the kernel's elements a dilation. What the last stride did not reach is cut off again.
    /// </summary>
    private static GraphValue ByConvolution(GraphBuilder graph, GraphNode node, GraphValue gradient, Window window)
    {
        NodeAttributes attributes = NodeAttributes.None
            .With("pads", [.. window.PadsBegin, .. window.PadsEnd])
            .With("strides", window.Dilations)
            .With("dilations", window.Strides);
        GraphValue swapped = graph.Node(
            "Conv",
            attributes,
            graph.Node("Transpose", s_swapBatchAndChannels, node.Input(0)),
            graph.Node("Transpose", s_swapBatchAndChannels, gradient));
        GraphValue full = graph.Node("Transpose", s_swapBatchAndChannels, swapped);
        return full.Shape.Equals(node.Input(1).Shape)
            ? full
            : graph.Node("Slice", full, graph.Int64Vector(0, 0), graph.Int64Vector([.. window.Kernel]), graph.Int64Vector(2, 3));
    }

    /// <summary>
    /// One matrix product for each row of the kernel. X lies as [H, N, W, C]: the kernel's columns are joined along the channels, and a row of the
    /// kernel is then a run of whole image rows, [H'·N·W', kernel width · C]. dY is [M, H'·N·W'].
    /// </summary>
    private static GraphValue ByColumns(GraphBuilder graph, GraphNode node, GraphValue gradient, Window window)
    {
        (long height, long width) = (gradient.Shape[2].Size, gradient.Shape[3].Size);
        GraphValue rowsFirst = graph.Node("Transpose", NodeAttributes.None.With("perm", [2, 0, 3, 1]), node.Input(0));
        GraphValue pads = graph.Int64Vector(window.PadsBegin[0], 0, window.PadsBegin[1], 0, window.PadsEnd[0], 0, window.PadsEnd[1], 0);
        GraphValue padded = graph.Node("Pad", rowsFirst, pads, graph.Scalar(rowsFirst.ElementType, 0));
        GraphValue columns = graph.Node(
            "Concat", NodeAttributes.None.With("axis", 3), [.. Offsets(window.Kernel[1]).Select(j => Part(padded, 2, j, width))]);
        GraphValue outer = graph.Node(
            "Flatten", NodeAttributes.None.With("axis", 1), graph.Node("Transpose", NodeAttributes.None.With("perm", [1, 2, 0, 3]), gradient));
        GraphValue products = graph.Node(
            "Concat",
            NodeAttributes.None.With("axis", 1),
            [.. Offsets(window.Kernel[0]).Select(i =>
                graph.Product(outer, false, graph.Node("Flatten", NodeAttributes.None.With("axis", 3), Part(columns, 0, i, height)), false))]);
        TensorShape weight = node.Input(1).Shape;
        GraphValue split = graph.Node(
            "Reshape", products, graph.Int64Vector(weight[0].Size, window.Kernel[0], window.Kernel[1], weight[1].Size));
        return graph.Node("Transpose", NodeAttributes.None.With("perm", [0, 3, 1, 2]), split);

        GraphValue Part(GraphValue value, long axis, long start, long length) =>
            graph.Node("Slice", value, graph.Int64Vector(start), graph.Int64Vector(start + length), graph.Int64Vector(axis));
    }

    private static IEnumerable<long> Offsets(long count) => Enumerable.Range(0, (int)count).Select(i => (long)i);
}
