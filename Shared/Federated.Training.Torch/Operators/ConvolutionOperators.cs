using Federated.Modeling.Graphs;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Training.Torch.Operators;

/// <summary>
/// Operators that slide a kernel over height and width: inputs are [N, channels, height, width]. Shape inference has refused everything but
/// two spatial dimensions, explicit or no padding, and sizes rounded down.
/// </summary>
internal static class ConvolutionOperators
{
    private static readonly long[] NoPads = [0, 0, 0, 0];
    private static readonly long[] Ones = [1, 1];

    /// <summary>Convolution (cross-correlation, as in ONNX and torch alike) with optional bias.</summary>
    public static TorchOperator Conv(GraphNode node)
    {
        long[] strides = List(node, "strides", Ones);
        long[] dilations = List(node, "dilations", Ones);
        long group = node.Attributes.IntegerOr("group", 1);
        (long top, long left, long bottom, long right) = Pads(node);
        bool symmetric = top == bottom && left == right;
        return inputs =>
        {
            Tensor x = symmetric ? inputs[0]! : functional.pad(inputs[0]!, [left, right, top, bottom]);
            Tensor? bias = inputs.Count > 2 ? inputs[2] : null;
            return functional.conv2d(x, inputs[1]!, bias, strides, symmetric ? [top, left] : [0, 0], dilations, group);
        };
    }

    /// <summary>Greatest value under the kernel.</summary>
    public static TorchOperator MaxPool(GraphNode node)
    {
        long[] kernel = List(node, "kernel_shape", Ones);
        long[] strides = List(node, "strides", Ones);
        long[] dilations = List(node, "dilations", Ones);
        (long top, long left, long bottom, long right) = Pads(node);
        bool padded = (top, left, bottom, right) != (0, 0, 0, 0);
        return inputs =>
        {
            // torch pads a pool by half a kernel at most, and equally on both sides; ONNX by anything.
            Tensor x = padded ? functional.pad(inputs[0]!, [left, right, top, bottom], value: double.NegativeInfinity) : inputs[0]!;
            return functional.max_pool2d(x, kernel, strides, [0, 0], dilations);
        };
    }

    private static (long Top, long Left, long Bottom, long Right) Pads(GraphNode node)
    {
        long[] pads = node.Attributes.TextOr("auto_pad", "NOTSET") == "VALID" ? NoPads : List(node, "pads", NoPads);
        return (pads[0], pads[1], pads[2], pads[3]);
    }

    private static long[] List(GraphNode node, string name, long[] defaults) => [.. node.Attributes.Integers(name) ?? defaults];
}
