using Federated.Modeling.Onnx;

namespace Federated.Modeling.Tests.Gradients.Rules;

public sealed class ElementwiseGradientTests
{
    [Theory]
    [InlineData(new[] { 3, 4 }, new[] { 3, 4 })]
    [InlineData(new[] { 3, 4 }, new[] { 4 })]
    [InlineData(new[] { 4 }, new[] { 3, 4 })]
    [InlineData(new[] { 3, 4 }, new int[] { })]
    [InlineData(new[] { 3, 1 }, new[] { 1, 4 })]
    [InlineData(new[] { 2, 3, 4 }, new[] { 3, 1 })]
    [InlineData(new[] { 2, 1, 4 }, new[] { 1, 3, 1 })]
    [InlineData(new[] { 1, 1 }, new[] { 1 })]
    public void Add_AnyBroadcast_MatchesDifferences(int[] a, int[] b) => GradientCheck.Run((g, x) => g.Node("Add", x[0], x[1]), a, b);

    [Fact]
    public void Add_TwiceTheSameOperand_AccumulatesBoth() => GradientCheck.Run((g, x) => g.Node("Add", x[0], x[0]), [2, 3]);

    [Theory]
    [InlineData(new[] { 7 })]
    [InlineData(new[] { 2, 3, 1, 2 })]
    public void Relu_AnyShape_MatchesDifferences(int[] shape) => GradientCheck.Run((g, x) => g.Node("Relu", x[0]), shape);

    [Theory]
    [InlineData(new[] { 2, 6 }, new long[] { 3, 4 })]
    [InlineData(new[] { 2, 6 }, new long[] { 0, 2, -1 })]
    [InlineData(new[] { 1, 1 }, new long[] { 1 })]
    public void Reshape_AnyTarget_MatchesDifferences(int[] shape, long[] target) =>
        GradientCheck.Run((g, x) => g.Node("Reshape", x[0], g.Int64Vector(target)), shape);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(-1)]
    public void Flatten_AnyAxis_MatchesDifferences(int axis) =>
        GradientCheck.Run((g, x) => g.Node("Flatten", NodeAttributes.None.With("axis", axis), x[0]), [2, 3, 4]);

    [Theory]
    [InlineData(new long[] { 2, 0, 1 })]
    [InlineData(new long[] { 0, 2, 1 })]
    public void Transpose_AnyOrder_MatchesDifferences(long[] order) =>
        GradientCheck.Run((g, x) => g.Node("Transpose", NodeAttributes.None.With("perm", order), x[0]), [2, 3, 4]);

    [Fact]
    public void Transpose_WithoutOrder_Reverses() => GradientCheck.Run((g, x) => g.Node("Transpose", x[0]), [2, 3, 4]);

    [Fact]
    public void Append_ValueUsedThreeTimes_SumsAllGradients() => GradientCheck.Run(
        (g, x) => g.Node("Add", g.Node("MatMul", x[0], x[0]), g.Node("Relu", x[0])), [3, 3]);
}
