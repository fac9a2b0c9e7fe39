using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Reference;

namespace Federated.Modeling.Tests.Gradients.Rules;

public sealed class PoolingGradientTests
{
    [Theory]
    [InlineData(new[] { 2, 2, 4, 4 }, new long[] { 2, 2 }, new long[] { 2, 2 })]
    [InlineData(new[] { 2, 3, 5, 7 }, new long[] { 2, 2 }, new long[] { 2, 2 })]
    [InlineData(new[] { 1, 1, 6, 6 }, new long[] { 3, 2 }, new long[] { 3, 2 })]
    [InlineData(new[] { 1, 2, 6, 7 }, new long[] { 2, 2 }, new long[] { 3, 4 })]
    [InlineData(new[] { 1, 2, 3, 3 }, new long[] { 1, 1 }, new long[] { 1, 1 })]
    public void MaxPool_ApartWindows_MatchesDifferences(int[] shape, long[] kernel, long[] strides) => GradientCheck.Run(
        (g, x) => g.Node("MaxPool", NodeAttributes.None.With("kernel_shape", kernel).With("strides", strides), x[0]), shape);

    [Theory]
    [InlineData(new long[] { 3, 3 }, new long[] { 2, 2 }, new long[] { 1, 1, 1, 1 }, 1, 0)]
    [InlineData(new long[] { 3, 2 }, new long[] { 1, 1 }, new long[] { 0, 0, 0, 0 }, 1, 0)]
    [InlineData(new long[] { 2, 2 }, new long[] { 1, 2 }, new long[] { 1, 0, 0, 1 }, 2, 0)]
    [InlineData(new long[] { 2, 2 }, new long[] { 2, 2 }, new long[] { 0, 0, 0, 0 }, 1, 1)]
    [InlineData(new long[] { 3, 3 }, new long[] { 2, 2 }, new long[] { 0, 0, 1, 1 }, 1, 1)]
    public void MaxPool_OtherWindows_MatchesDifferences(long[] kernel, long[] strides, long[] pads, int dilation, int ceil) => GradientCheck.Run(
        (g, x) => g.Node("MaxPool", Pool(kernel, strides, pads).With("dilations", [dilation, 1]).With("ceil_mode", ceil), x[0]), [2, 2, 7, 6]);

    [Fact]
    public void MaxPool_OneDimension_MatchesDifferences() =>
        GradientCheck.Run((g, x) => g.Node("MaxPool", Pool([3], [2], [1, 1]), x[0]), [2, 3, 8]);

    [Fact]
    public void MaxPool_AutomaticPadding_MatchesDifferences() => GradientCheck.Run(
        (g, x) => g.Node("MaxPool", NodeAttributes.None.With("kernel_shape", [3, 2]).With("strides", [2, 2]).With("auto_pad", "SAME_LOWER"), x[0]),
        [1, 2, 5, 6]);

    [Fact]
    public void MaxPool_EqualElements_OnlyTheFirstGetsTheGradient()
    {
        Tensor ones = Tensor.Make([1, 1, 4, 4], _ => 1);
        IReadOnlyList<Tensor> gradients = GradientCheck.Gradients(
            (g, x) => g.Node("MaxPool", NodeAttributes.None.With("kernel_shape", [2, 2]).With("strides", [2, 2]), x[0]), [ones]);
        Assert.Equal([0, 2, 8, 10], gradients[0].Values.Index().Where(v => v.Item != 0).Select(v => v.Index));
    }

    [Theory]
    [InlineData(new long[] { 2, 2 }, new long[] { 2, 2 }, new long[] { 0, 0, 0, 0 }, 0, 0)]
    [InlineData(new long[] { 3, 2 }, new long[] { 3, 2 }, new long[] { 0, 0, 0, 0 }, 0, 0)]
    [InlineData(new long[] { 3, 3 }, new long[] { 1, 1 }, new long[] { 1, 1, 1, 1 }, 0, 0)]
    [InlineData(new long[] { 3, 3 }, new long[] { 2, 2 }, new long[] { 1, 1, 1, 1 }, 1, 0)]
    [InlineData(new long[] { 2, 3 }, new long[] { 3, 2 }, new long[] { 1, 0, 0, 2 }, 0, 0)]
    [InlineData(new long[] { 2, 2 }, new long[] { 2, 2 }, new long[] { 0, 0, 0, 0 }, 0, 1)]
    [InlineData(new long[] { 3, 3 }, new long[] { 2, 2 }, new long[] { 1, 1, 0, 0 }, 0, 1)]
    [InlineData(new long[] { 1, 1 }, new long[] { 3, 3 }, new long[] { 0, 0, 0, 0 }, 0, 0)]
    public void AveragePool_AnyWindow_MatchesDifferences(long[] kernel, long[] strides, long[] pads, int countPads, int ceil) => GradientCheck.Run(
        (g, x) => g.Node("AveragePool", Pool(kernel, strides, pads).With("count_include_pad", countPads).With("ceil_mode", ceil), x[0]), [2, 3, 6, 7]);

    [Fact]
    public void AveragePool_OneDimension_MatchesDifferences() =>
        GradientCheck.Run((g, x) => g.Node("AveragePool", Pool([3], [2], [1, 0]), x[0]), [2, 3, 8]);

    [Theory]
    [InlineData("GlobalAveragePool", new[] { 2, 3, 4, 5 })]
    [InlineData("GlobalAveragePool", new[] { 1, 2, 6 })]
    [InlineData("GlobalMaxPool", new[] { 2, 3, 4, 5 })]
    [InlineData("GlobalMaxPool", new[] { 1, 2, 6 })]
    public void Global_AnyShape_MatchesDifferences(string operatorType, int[] shape) => GradientCheck.Run((g, x) => g.Node(operatorType, x[0]), shape);

    [Theory]
    [InlineData("MaxPool", "storage_order", "'storage_order' is set")]
    [InlineData("AveragePool", "auto_pad", "'auto_pad' is 'SAME'")]
    public void Pool_AttributeThatIsNotSupported_IsRefusedByName(string operatorType, string attribute, string message)
    {
        NodeAttributes attributes = attribute == "auto_pad" ? Pool([2, 2], [1, 1], null).With(attribute, "SAME") : Pool([2, 2], [1, 1], null).With(attribute, 1);
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => GradientCheck.Run((g, x) => g.Node(operatorType, attributes, x[0]), [1, 1, 4, 4]));
        Assert.Contains($"'{operatorType}' ({operatorType}): attribute {message}", error.Message, StringComparison.Ordinal);
    }

    private static NodeAttributes Pool(long[] kernel, long[] strides, long[]? pads)
    {
        NodeAttributes attributes = NodeAttributes.None.With("kernel_shape", kernel).With("strides", strides);
        return pads is null ? attributes : attributes.With("pads", pads);
    }
}
