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

    [Fact]
    public void Conv_GroupsWithFixedWeight_InputMatchesDifferences() => GradientCheck.Run(
        (g, x) => g.Node(
            "Conv",
            NodeAttributes.None.With("group", 2).With("strides", [2, 1]),
            x[0],
            g.Constant(TensorContent.Floating(x[0].ElementType, GradientCheck.Random(6, 2, 3, 2).Values, [6, 2, 3, 2]))),
        [2, 4, 6, 5]);

    [Fact]
    public void Conv_GroupsWithTrainableWeight_AreRefusedByName() => Assert.Contains(
        "Node 'Conv' (Conv): attribute 'group' is 2",
        Assert.Throws<OnnxFormatException>(() => GradientCheck.Run(
            (g, x) => g.Node("Conv", NodeAttributes.None.With("group", 2), x[0], x[1]), [1, 2, 3, 3], [2, 1, 2, 2])).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Conv_WithoutBias_MatchesDifferences() => GradientCheck.Run((g, x) => g.Node("Conv", x[0], x[1]), [1, 2, 4, 3], [2, 2, 3, 2]);

    [Theory]
    [InlineData(new[] { 2, 2, 4, 4 }, new long[] { 2, 2 }, new long[] { 2, 2 })]
    [InlineData(new[] { 2, 3, 5, 7 }, new long[] { 2, 2 }, new long[] { 2, 2 })]
    [InlineData(new[] { 1, 1, 6, 6 }, new long[] { 3, 2 }, new long[] { 3, 2 })]
    [InlineData(new[] { 1, 2, 6, 7 }, new long[] { 2, 2 }, new long[] { 3, 4 })]
    [InlineData(new[] { 1, 2, 3, 3 }, new long[] { 1, 1 }, new long[] { 1, 1 })]
    public void MaxPool_ApartWindows_MatchesDifferences(int[] shape, long[] kernel, long[] strides) => GradientCheck.Run(
        (g, x) => g.Node("MaxPool", NodeAttributes.None.With("kernel_shape", kernel).With("strides", strides), x[0]), shape);

    [Fact]
    public void MaxPool_EqualElements_OnlyTheFirstGetsTheGradient()
    {
        Tensor ones = Tensor.Make([1, 1, 4, 4], _ => 1);
        IReadOnlyList<Tensor> gradients = GradientCheck.Gradients(
            (g, x) => g.Node("MaxPool", NodeAttributes.None.With("kernel_shape", [2, 2]).With("strides", [2, 2]), x[0]), [ones]);
        Assert.Equal([0, 2, 8, 10], gradients[0].Values.Index().Where(v => v.Item != 0).Select(v => v.Index));
    }
}
