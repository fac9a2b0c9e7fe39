using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// The gradient of a convolution's weight, [M, C / group, kernel…], in two forms. Both sum X · dY over batch and space for each offset of the kernel;
/// they differ in what ONNX Runtime makes of them.
/// </summary>
internal static class ConvWeightGradient
{
    /// <summary>Below this many channels the matrices of <see cref="ByColumns"/> are too narrow to pay for their copies.</summary>
    private const long MinChannelsForColumns = 16;

    /// <summary>Appends the faster form that supports the convolution.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="weight">[M, C / group, kernel…].</param>
    /// <param name="input">What is convolved: [N, C, …].</param>
    /// <param name="gradient">Of the convolution's output: [N, M, …].</param>
    /// <param name="window">How the kernel slides.</param>
    public static GraphValue Append(GraphBuilder graph, GraphValue weight, GraphValue input, GraphValue gradient, Window window)
    {
        bool plain = window.Group == 1 && window.Spatial == 2 && window.Strides.Concat(window.Dilations).All(s => s == 1);
        return plain && weight.Shape[1] is { IsSymbolic: false, Size: >= MinChannelsForColumns }
            ? ByColumns(graph, weight.Shape, input, gradient, window)
            : ByConvolution(graph, weight, input, gradient, window);
    }

    /// <summary>
    /// X as [C / group, group · N, …] convolved in groups with dY as [M, N, …] gives [C / group, M, kernel…]. Stride and dilation change places: dY's
    /// elements lie a stride apart in X, and the kernel's elements a dilation. What the last stride did not reach is cut off again.
    /// </summary>
    private static GraphValue ByConvolution(GraphBuilder graph, GraphValue weight, GraphValue input, GraphValue gradient, Window window)
    {
        int[] spatial = [.. window.Axes];
        NodeAttributes attributes = NodeAttributes.None
            .With("pads", window.Pads)
            .With("strides", window.Dilations)
            .With("dilations", window.Strides);
        attributes = window.Group == 1 ? attributes : attributes.With("group", window.Group);
        GraphValue swapped = graph.Node("Conv", attributes, GroupsFirst(graph, input, window), graph.Permute(gradient, [1, 0, .. spatial]));
        GraphValue full = graph.Permute(swapped, [1, 0, .. spatial]);
        return full.Shape.Equals(weight.Shape)
            ? full
            : graph.Node(
                "Slice",
                full,
                graph.Int64Vector([.. window.Kernel.Select(_ => 0L)]),
                graph.Int64Vector([.. window.Kernel]),
                graph.Int64Vector([.. spatial.Select(a => (long)a)]));
    }

    /// <summary>[N, C, …] as [C / group, group · N, …].</summary>
    private static GraphValue GroupsFirst(GraphBuilder graph, GraphValue input, Window window)
    {
        int[] spatial = [.. window.Axes];
        if (window.Group == 1)
        {
            return graph.Permute(input, [1, 0, .. spatial]);
        }

        long perGroup = input.Shape[1].Size / window.Group;
        long[] sizes = [.. spatial.Select(a => input.Shape[a].Size)];
        GraphValue split = graph.Node("Reshape", input, graph.Int64Vector([0, window.Group, perGroup, .. sizes]));
        GraphValue ordered = graph.Permute(split, [2, 1, 0, .. spatial.Select(a => a + 1)]);
        return graph.Node("Reshape", ordered, graph.Int64Vector([perGroup, -1, .. sizes]));
    }

    /// <summary>
    /// One matrix product for each row of the kernel. X lies as [H, N, W, C]: the kernel's columns are joined along the channels, and a row of the
    /// kernel is then a run of whole image rows, [H'·N·W', kernel width · C]. dY is [M, H'·N·W'].
    /// </summary>
    private static GraphValue ByColumns(GraphBuilder graph, TensorShape weight, GraphValue input, GraphValue gradient, Window window)
    {
        (long height, long width) = (gradient.Shape[2].Size, gradient.Shape[3].Size);
        GraphValue rowsFirst = graph.Permute(input, 2, 0, 3, 1);
        GraphValue pads = graph.Int64Vector(window.PadsBegin[0], 0, window.PadsBegin[1], 0, window.PadsEnd[0], 0, window.PadsEnd[1], 0);
        GraphValue padded = window.IsUnpadded ? rowsFirst : graph.Node("Pad", rowsFirst, pads, graph.Scalar(rowsFirst.ElementType, 0));
        GraphValue columns = Joined(graph, 3, [.. Offsets(window.Kernel[1]).Select(j => Part(padded, 2, j, width))]);
        GraphValue outer = graph.Node("Flatten", NodeAttributes.None.With("axis", 1), graph.Permute(gradient, 1, 2, 0, 3));
        GraphValue products = Joined(graph, 1, [.. Offsets(window.Kernel[0]).Select(i =>
            graph.Product(outer, false, graph.Node("Flatten", NodeAttributes.None.With("axis", 3), Part(columns, 0, i, height)), false))]);
        GraphValue split = graph.Node(
            "Reshape", products, graph.Int64Vector(weight[0].Size, window.Kernel[0], window.Kernel[1], weight[1].Size));
        return graph.Permute(split, 0, 3, 1, 2);

        GraphValue Part(GraphValue value, int axis, long start, long length) => start == 0 && value.Shape[axis] == length
            ? value
            : graph.Node("Slice", value, graph.Int64Vector(start), graph.Int64Vector(start + length), graph.Int64Vector(axis));
    }

    private static GraphValue Joined(GraphBuilder graph, long axis, IReadOnlyList<GraphValue> parts) =>
        parts.Count == 1 ? parts[0] : graph.Node("Concat", NodeAttributes.None.With("axis", axis), parts);

    private static IEnumerable<long> Offsets(long count) => Enumerable.Range(0, (int)count).Select(i => (long)i);
}
