using Federated.Modeling.Onnx;

namespace Federated.Modeling.Tests.Gradients.Rules;

public sealed class MatrixGradientTests
{
    [Theory]
    [InlineData(new[] { 3, 4 }, new[] { 4, 2 })]
    [InlineData(new[] { 1, 1 }, new[] { 1, 1 })]
    [InlineData(new[] { 1, 4 }, new[] { 4, 1 })]
    [InlineData(new[] { 2, 3, 4 }, new[] { 4, 2 })]
    [InlineData(new[] { 2, 3, 4 }, new[] { 2, 4, 2 })]
    [InlineData(new[] { 2, 1, 3, 4 }, new[] { 3, 4, 2 })]
    [InlineData(new[] { 3, 4 }, new[] { 5, 4, 2 })]
    [InlineData(new[] { 1, 3, 4 }, new[] { 5, 4, 2 })]
    public void MatMul_AnyBatch_MatchesDifferences(int[] a, int[] b) => GradientCheck.Run((g, x) => g.Node("MatMul", x[0], x[1]), a, b);

    [Theory]
    [InlineData(0, 0, 1f)]
    [InlineData(1, 0, 1f)]
    [InlineData(0, 1, 0.5f)]
    [InlineData(1, 1, -2f)]
    public void Gemm_AnyTransposition_MatchesDifferences(int transA, int transB, float alpha) => GradientCheck.Run(
        (g, x) => g.Node("Gemm", NodeAttributes.None.With("transA", transA).With("transB", transB).With("alpha", alpha), x[0], x[1]),
        transA == 0 ? [3, 4] : [4, 3],
        transB == 0 ? [4, 2] : [2, 4]);

    [Theory]
    [InlineData(new int[] { }, 1f)]
    [InlineData(new[] { 1 }, 1f)]
    [InlineData(new[] { 2 }, 0.5f)]
    [InlineData(new[] { 3, 1 }, 3f)]
    [InlineData(new[] { 1, 2 }, -1f)]
    [InlineData(new[] { 3, 2 }, 1f)]
    public void Gemm_AnyBias_MatchesDifferences(int[] bias, float beta) => GradientCheck.Run(
        (g, x) => g.Node("Gemm", NodeAttributes.None.With("beta", beta), x[0], x[1], x[2]), [3, 4], [4, 2], bias);
}
