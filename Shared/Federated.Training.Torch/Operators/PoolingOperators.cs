using Federated.Modeling.Graphs;
using Federated.Modeling.Shapes;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Training.Torch.Operators;

/// <summary>
/// Poolings. torch pads a pool by half a kernel at most and equally on both sides, ONNX by anything; so the input is padded first, at the end as far as the
/// last window reaches.
/// </summary>
internal static class PoolingOperators
{
    /// <summary>Greatest value under the kernel.</summary>
    public static TorchOperator MaxPool(GraphNode node)
    {
        ImageWindow window = new(Window.OfPooling(node));
        long[] pads = Pads(node, window);
        return inputs => window.FromImage(functional.max_pool2d(
            Padded(window.ToImage(inputs[0]!), pads, double.NegativeInfinity), window.Kernel, window.Strides, [0, 0], window.Dilations));
    }

    /// <summary>Mean of the values under the kernel, of the padding too if the node says so.</summary>
    public static TorchOperator AveragePool(GraphNode node)
    {
        ImageWindow window = new(Window.OfPooling(node));
        long[] pads = Pads(node, window);
        bool countPads = node.Attributes.IntegerOr("count_include_pad", 0) != 0 || pads.All(p => p <= 0);
        return inputs =>
        {
            Tensor x = window.ToImage(inputs[0]!);
            Tensor mean = Mean(Padded(x, pads, 0), window);
            return window.FromImage(countPads ? mean : mean / Mean(Padded(ones_like(x), pads, 0), window));
        };
    }

    /// <summary>A reduction over space that keeps its dimensions.</summary>
    public static Func<GraphNode, TorchOperator> Global(Func<Tensor, long[], Tensor> reduce) => node =>
    {
        long[] space = [.. Enumerable.Range(2, node.Input(0).Shape.Rank - 2).Select(i => (long)i)];
        return inputs => reduce(inputs[0]!, space);
    };

    private static Tensor Mean(Tensor x, ImageWindow window) => functional.avg_pool2d(x, window.Kernel, window.Strides, [0, 0]);

    private static Tensor Padded(Tensor x, long[] pads, double value) => pads.All(p => p == 0) ? x : functional.pad(x, pads, value: value);

    /// <summary>Left, right, top, bottom.</summary>
    private static long[] Pads(GraphNode node, ImageWindow window)
    {
        long[] input = ImageWindow.Spatial(node.Input(0).Shape);
        long[] output = ImageWindow.Spatial(node.Outputs[0]!.Shape);
        long[] end = [.. Enumerable.Range(0, 2).Select(i =>
            Math.Max(0, ((output[i] - 1) * window.Strides[i]) + window.Reach[i] - input[i] - window.PadsBegin[i]))];
        return [window.PadsBegin[1], end[1], window.PadsBegin[0], end[0]];
    }
}
