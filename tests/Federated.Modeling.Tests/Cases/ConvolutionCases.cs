using Federated.Modeling.Onnx;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Operators that slide a kernel over height and width.</summary>
internal static class ConvolutionCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        new("Conv", "", r =>
        {
            (int channels, int filters) = (r.Between(1, 3), r.Between(1, 3));
            NodeAttributes attributes = NodeAttributes.None.With("strides", [r.Between(1, 2), r.Between(1, 2)])
                .With("pads", [r.NextInt(2), r.NextInt(2), r.NextInt(2), r.NextInt(2)]);
            int[] kernel = [filters, channels, r.Between(1, 3), r.Between(1, 3)];
            return new(
                [r.Normal(r.Between(1, 2), channels, r.Between(3, 5), r.Between(3, 5)), r.Normal(kernel), r.Normal(filters)],
                (g, x) => g.Node("Conv", attributes, x));
        }),
        new("MaxPool", "", r =>
        {
            (int height, int width) = (r.Between(1, 3), r.Between(1, 3));
            NodeAttributes attributes = NodeAttributes.None.With("kernel_shape", [height, width]).With("strides", [height, width]);
            return new([r.Apart(r.Between(1, 2), r.Between(1, 2), r.Between(3, 5), r.Between(3, 5))], (g, x) => g.Node("MaxPool", attributes, x[0]));
        }),
    ];
}
