using Federated.Modeling.Graphs;
using Federated.Modeling.Shapes;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Training.Torch.Operators;

/// <summary>Convolutions over one or two spatial dimensions: [N, channels, …]. One dimension is computed as two, the first of size 1.</summary>
internal static class ConvolutionOperators
{
    /// <summary>Convolution (cross-correlation, as in ONNX and torch alike) with optional bias.</summary>
    public static TorchOperator Conv(GraphNode node)
    {
        ImageWindow window = new(Window.OfConvolution(node));
        (long top, long left) = (window.PadsBegin[0], window.PadsBegin[1]);
        bool symmetric = window.PadsBegin.SequenceEqual(window.PadsEnd);
        return inputs =>
        {
            Tensor image = window.ToImage(inputs[0]!);
            Tensor x = symmetric ? image : functional.pad(image, [left, window.PadsEnd[1], top, window.PadsEnd[0]]);
            Tensor? bias = inputs.Count > 2 ? inputs[2] : null;
            long[] padding = symmetric ? [top, left] : [0, 0];
            return window.FromImage(functional.conv2d(x, window.ToImage(inputs[1]!), bias, window.Strides, padding, window.Dilations, window.Group));
        };
    }

    /// <summary>Transposed convolution with optional bias. torch computes it without padding; padding cuts off, output padding adds.</summary>
    public static TorchOperator ConvTranspose(GraphNode node)
    {
        ImageWindow window = new(Window.OfConvolution(node));
        long[] size = ImageWindow.Spatial(node.Outputs[0]!.Shape);
        return inputs =>
        {
            Tensor full = functional.conv_transpose2d(
                window.ToImage(inputs[0]!), window.ToImage(inputs[1]!), strides: window.Strides, dilation: window.Dilations, groups: window.Group);
            (long top, long left) = (window.PadsBegin[0], window.PadsBegin[1]);
            Tensor cut = functional.pad(full, [-left, size[1] + left - full.shape[3], -top, size[0] + top - full.shape[2]]);
            Tensor y = inputs.Count > 2 && inputs[2] is { } bias ? cut + bias.reshape(1, -1, 1, 1) : cut;
            return window.FromImage(y);
        };
    }
}
