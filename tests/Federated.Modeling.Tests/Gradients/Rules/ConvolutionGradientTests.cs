using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Reference;

namespace Federated.Modeling.Tests.Gradients.Rules;

public sealed class ConvolutionGradientTests
{
    [Theory]
    [InlineData(1, 1, 1, new long[] { 1, 1 }, new long[] { 0, 0, 0, 0 }, new long[] { 1, 1 })]
    [InlineData(2, 3, 3, new long[] { 1, 1 }, new long[] { 1, 1, 1, 1 }, new long[] { 1, 1 })]
    [InlineData(2, 3, 3, new long[] { 2, 2 }, new long[] { 1, 1, 1, 1 }, new long[] { 1, 1 })]
    [InlineData(2, 2, 2, new long[] { 2, 3 }, new long[] { 0, 1, 2, 0 }, new long[] { 1, 1 })]
    [InlineData(1, 2, 3, new long[] { 1, 1 }, new long[] { 2, 2, 2, 2 }, new long[] { 2, 1 })]
    [InlineData(1, 2, 2, new long[] { 3, 2 }, new long[] { 1, 0, 0, 1 }, new long[] { 2, 3 })]
    public void Conv_AnyWindow_MatchesDifferences(int channels, int filters, int kernel, long[] strides, long[] pads, long[] dilations) => GradientCheck.Run(
        (g, x) => g.Node("Conv", NodeAttributes.None.With("strides", strides).With("pads", pads).With("dilations", dilations), x[0], x[1], x[2]),
        [2, channels, 6, 5],
        [filters, channels, kernel, kernel],
        [filters]);

    // From 16 channels on the weight's gradient is a product of matrices.
    [Theory]
    [InlineData(3, 3, new long[] { 1, 1, 1, 1 })]
    [InlineData(2, 3, new long[] { 0, 1, 2, 0 })]
    [InlineData(1, 1, new long[] { 0, 0, 0, 0 })]
    public void Conv_ManyChannels_MatchesDifferences(int kernelHeight, int kernelWidth, long[] pads) => GradientCheck.Run(
        (g, x) => g.Node("Conv", NodeAttributes.None.With("pads", pads), x[0], x[1], x[2]), [2, 16, 3, 4], [2, 16, kernelHeight, kernelWidth], [2]);

    // Depthwise, depthwise with two filters a channel, and groups of several channels.
    [Theory]
    [InlineData(4, 4, 4, new long[] { 1, 1 }, new long[] { 1, 1, 1, 1 }, new long[] { 1, 1 })]
    [InlineData(3, 3, 6, new long[] { 2, 1 }, new long[] { 1, 0, 1, 2 }, new long[] { 1, 1 })]
    [InlineData(2, 4, 6, new long[] { 2, 2 }, new long[] { 1, 1, 1, 1 }, new long[] { 1, 2 })]
    [InlineData(2, 6, 2, new long[] { 1, 3 }, new long[] { 0, 0, 0, 0 }, new long[] { 2, 1 })]
    public void Conv_Groups_MatchesDifferences(int groups, int channels, int filters, long[] strides, long[] pads, long[] dilations) => GradientCheck.Run(
        (g, x) => g.Node(
            "Conv",
            NodeAttributes.None.With("group", groups).With("strides", strides).With("pads", pads).With("dilations", dilations),
            x[0],
            x[1],
            x[2]),
        [2, channels, 6, 5],
        [filters, channels / groups, 3, 2],
        [filters]);

    [Theory]
    [InlineData("SAME_UPPER", 1)]
    [InlineData("SAME_UPPER", 2)]
    [InlineData("SAME_LOWER", 2)]
    [InlineData("VALID", 2)]
    public void Conv_AutomaticPadding_MatchesDifferences(string autoPad, int stride) => GradientCheck.Run(
        (g, x) => g.Node("Conv", NodeAttributes.None.With("auto_pad", autoPad).With("strides", [stride, stride]), x[0], x[1]),
        [1, 2, 7, 6],
        [2, 2, 3, 4]);

    [Theory]
    [InlineData(1, 1, 1, new long[] { 0, 0 })]
    [InlineData(2, 2, 1, new long[] { 1, 2 })]
    [InlineData(4, 1, 2, new long[] { 2, 2 })]
    public void Conv_OneDimension_MatchesDifferences(int groups, int stride, int dilation, long[] pads) => GradientCheck.Run(
        (g, x) => g.Node(
            "Conv", NodeAttributes.None.With("group", groups).With("strides", [stride]).With("dilations", [dilation]).With("pads", pads), x[0], x[1], x[2]),
        [2, 4, 9],
        [4, 4 / groups, 3],
        [4]);

    [Fact]
    public void Conv_WithoutBias_MatchesDifferences() => GradientCheck.Run((g, x) => g.Node("Conv", x[0], x[1]), [1, 2, 4, 3], [2, 2, 3, 2]);

    [Fact]
    public void Conv_FixedWeight_InputMatchesDifferences() => GradientCheck.Run(
        (g, x) => g.Node(
            "Conv",
            NodeAttributes.None.With("group", 2).With("pads", [1, 1, 1, 0]),
            x[0],
            g.Constant(TensorContent.Floating(x[0].ElementType, GradientCheck.Random(6, 2, 3, 2).Values, [6, 2, 3, 2]))),
        [2, 4, 6, 5]);

    [Theory]
    [InlineData(new long[] { 1, 1, 1, 1 }, 1)]
    [InlineData(new long[] { 0, 2, 1, 0 }, 2)]
    [InlineData(new long[] { 3, 3, 3, 3 }, 1)]
    public void Conv_FixedDepthwiseWeight_InputMatchesDifferences(long[] pads, int dilation) => GradientCheck.Run(
        (g, x) => g.Node(
            "Conv",
            NodeAttributes.None.With("group", 3).With("pads", pads).With("dilations", [dilation, 1]),
            x[0],
            g.Constant(TensorContent.Floating(x[0].ElementType, GradientCheck.Random(3, 1, 3, 2).Values, [3, 1, 3, 2]))),
        [2, 3, 6, 5]);

    [Theory]
    [InlineData(1, new long[] { 1, 1 }, new long[] { 0, 0, 0, 0 }, new long[] { 0, 0 })]
    [InlineData(1, new long[] { 2, 2 }, new long[] { 1, 0, 1, 1 }, new long[] { 1, 0 })]
    [InlineData(2, new long[] { 3, 2 }, new long[] { 1, 1, 0, 1 }, new long[] { 0, 1 })]
    public void ConvTranspose_AnyWindow_MatchesDifferences(int groups, long[] strides, long[] pads, long[] extra) => GradientCheck.Run(
        (g, x) => g.Node(
            "ConvTranspose",
            NodeAttributes.None.With("group", groups).With("strides", strides).With("pads", pads).With("output_padding", extra),
            x[0],
            x[1],
            x[2]),
        [2, 4, 3, 4],
        [4, 3, 3, 2],
        [3 * groups]);

    [Theory]
    [InlineData("output_shape", new long[] { 5, 5 })]
    public void ConvTranspose_AttributeThatIsNotSupported_IsRefusedByName(string attribute, long[] value) => Assert.Contains(
        $"Node 'ConvTranspose' (ConvTranspose): attribute '{attribute}'",
        Assert.Throws<OnnxFormatException>(() => GradientCheck.Run(
            (g, x) => g.Node("ConvTranspose", NodeAttributes.None.With(attribute, value), x[0], x[1]), [1, 2, 3, 3], [2, 1, 2, 2])).Message,
        StringComparison.Ordinal);
}
