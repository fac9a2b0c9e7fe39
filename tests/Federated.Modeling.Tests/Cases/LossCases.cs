using Federated.Modeling.Onnx;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Losses.</summary>
internal static class LossCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        new("SoftmaxCrossEntropyLoss", "", r =>
        {
            (int batch, int classes) = (r.Between(1, 4), r.Between(1, 4));
            long[] labels = [.. Enumerable.Range(0, batch).Select(_ => (long)r.NextInt(classes))];
            return new(
                [r.Normal(batch, classes)], (g, x) => g.Node("SoftmaxCrossEntropyLoss", x[0], g.Constant(TensorContent.Int64Vector(labels))));
        }),
    ];
}
