using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Mean of each window: every element gets its share of the gradient of each window it lies in. That is dY, divided by how many elements its window
/// counted, under the transposed convolution with a kernel of ones. Where the windows tile the input, the share is repeated over the tile instead.
/// </summary>
internal sealed class AveragePoolGradient : IGradientRule
{
    public string OperatorType => "AveragePool";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        GraphValue input = context.Node.Input(0);
        Window window = Window.OfPooling(context.Node);
        GraphValue shares = graph.Node("Mul", context.OutputGradient, Weights(context, window));
        bool tiles = window.IsUnpadded && window.Strides.SequenceEqual(window.Kernel)
            && window.Axes.All(a => input.Shape[a].Size == shares.Shape[a].Size * window.Kernel[a - 2]);
        context.Accumulate(0, graph.ReshapeTo(tiles ? Repeated(graph, shares, window) : Spread(graph, shares, input.Shape, window), input));
    }

    /// <summary>[N, C, H', W'] as [N, C, H', kernel, W', kernel].</summary>
    private static GraphValue Repeated(GraphBuilder graph, GraphValue shares, Window window)
    {
        GraphValue apart = graph.Node("Unsqueeze", shares, graph.Int64Vector([.. Enumerable.Range(0, window.Spatial).Select(i => 3L + (2 * i))]));
        return graph.Node("Expand", apart, graph.Int64Vector([1, 1, .. window.Kernel.SelectMany(k => (long[])[1, k])]));
    }

    /// <summary>Each channel of each example is an image of its own. The padding at the end is what makes the sizes fit.</summary>
    private static GraphValue Spread(GraphBuilder graph, GraphValue shares, TensorShape input, Window window)
    {
        long[] sizes = [.. window.Axes.Select(a => shares.Shape[a].Size)];
        long[] padsEnd = [.. Enumerable.Range(0, window.Spatial).Select(i =>
            ((sizes[i] - 1) * window.Strides[i]) + window.Reach(i) - window.PadsBegin[i] - input[i + 2].Size)];
        NodeAttributes attributes = NodeAttributes.None
            .With("strides", window.Strides)
            .With("pads", [.. window.PadsBegin, .. padsEnd.Select(p => Math.Max(p, 0))]);
        attributes = padsEnd.Any(p => p < 0) ? attributes.With("output_padding", padsEnd.Select(p => Math.Max(-p, 0))) : attributes;
        int count = (int)window.Kernel.Aggregate(1L, (product, k) => product * k);
        GraphValue ones = graph.Constant(TensorContent.Floating(shares.ElementType, [.. Enumerable.Repeat(1d, count)], [1, 1, .. window.Kernel]));
        return graph.Node("ConvTranspose", attributes, graph.Node("Reshape", shares, graph.Int64Vector([-1, 1, .. sizes])), ones);
    }

    /// <summary>1 / the number of elements each window counted: a scalar where all count alike, else [H', W'].</summary>
    private static GraphValue Weights(GradientContext context, Window window)
    {
        GraphValue gradient = context.OutputGradient;
        bool alike = context.Node.Attributes.IntegerOr("count_include_pad", 0) != 0 || (window.IsUnpadded && !window.Ceiling);
        if (alike)
        {
            return context.Graph.Scalar(gradient.ElementType, 1d / window.Kernel.Aggregate(1L, (product, k) => product * k));
        }

        long[] sizes = [.. window.Axes.Select(a => gradient.Shape[a].Size)];
        double[] weights = [1];
        for (int i = 0; i < window.Spatial; i++)
        {
            double[] along = [.. Enumerable.Range(0, (int)sizes[i]).Select(o => 1d / Counted(context.Node.Input(0).Shape[i + 2].Size, window, i, o))];
            weights = [.. weights.SelectMany(w => along.Select(a => w * a))];
        }

        return context.Graph.Constant(TensorContent.Floating(gradient.ElementType, weights, sizes));
    }

    private static long Counted(long size, Window window, int spatial, long output)
    {
        long start = (output * window.Strides[spatial]) - window.PadsBegin[spatial];
        return Math.Min(start + window.Kernel[spatial], size) - Math.Max(start, 0);
    }
}
