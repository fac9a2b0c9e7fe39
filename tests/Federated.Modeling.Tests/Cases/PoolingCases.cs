using Federated.Modeling.Onnx;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Operators that reduce windows.</summary>
internal static class PoolingCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        new("MaxPool", "windows side by side", r =>
        {
            long[] kernel = r.Each(2, 1, 3);
            NodeAttributes attributes = NodeAttributes.None.With("kernel_shape", kernel).With("strides", kernel);
            return new([r.Apart(r.Between(1, 2), r.Between(1, 2), r.Between(3, 5), r.Between(3, 5))], (g, x) => g.Node("MaxPool", attributes, x[0]));
        }),
        new("MaxPool", "any window", r => Pool(r, "MaxPool", 2, NodeAttributes.None.With("dilations", r.Each(2, 1, 2)).With("ceil_mode", r.NextInt(2)))),
        new("MaxPool", "one dimension", r => Pool(r, "MaxPool", 1, NodeAttributes.None)),
        new("AveragePool", "windows side by side", r =>
        {
            long[] kernel = r.Each(2, 1, 3);
            NodeAttributes attributes = NodeAttributes.None.With("kernel_shape", kernel).With("strides", kernel);
            return new(
                [r.Normal(r.Between(1, 2), r.Between(1, 2), (int)kernel[0] * r.Between(1, 2), (int)kernel[1] * r.Between(1, 2))],
                (g, x) => g.Node("AveragePool", attributes, x[0]));
        }),
        new("AveragePool", "any window", r => Pool(r, "AveragePool", 2, NodeAttributes.None.With("ceil_mode", r.NextInt(2)))),
        new("AveragePool", "padding counted", r => Pool(r, "AveragePool", 2, NodeAttributes.None.With("count_include_pad", 1))),
        new("AveragePool", "one dimension", r => Pool(r, "AveragePool", 1, NodeAttributes.None)),
        new("GlobalAveragePool", "", r => Global(r, "GlobalAveragePool")),
        new("GlobalMaxPool", "", r => Global(r, "GlobalMaxPool")),
    ];

    /// <summary>Padding is below the kernel: a window that covers padding alone has no maximum and no mean.</summary>
    private static OperatorInstance Pool(SeededGenerator r, string operatorType, int spatial, NodeAttributes attributes)
    {
        long[] kernel = r.Each(spatial, 1, 3);
        long[] pads = [.. kernel.Concat(kernel).Select(k => (long)r.NextInt((int)Math.Min(k, 2)))];
        NodeAttributes all = attributes.With("kernel_shape", kernel).With("strides", r.Each(spatial, 1, 3)).With("pads", pads);
        int[] input = [r.Between(1, 2), r.Between(1, 2), .. r.Each(spatial, 5, 7).Select(d => (int)d)];
        return new([r.Apart(input)], (g, x) => g.Node(operatorType, all, x[0]));
    }

    private static OperatorInstance Global(SeededGenerator r, string operatorType) =>
        new([r.Apart([r.Between(1, 3), r.Between(1, 3), .. r.Shape(1, 2)])], (g, x) => g.Node(operatorType, x[0]));
}
