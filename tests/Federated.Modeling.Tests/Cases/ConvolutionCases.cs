using Federated.Modeling.Onnx;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Operators that slide a kernel over one or two dimensions.</summary>
internal static class ConvolutionCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        new("Conv", "", r => Conv(r, 1, 2)),
        new("Conv", "groups", r => Conv(r, r.Between(2, 3), 2)),
        new("Conv", "one dimension", r => Conv(r, r.Between(1, 2), 1)),
        new("Conv", "depthwise", r =>
        {
            int channels = r.Between(1, 4);
            return Conv(r, channels, 2, channels, channels * r.Between(1, 2));
        }),
        new("Conv", "automatic padding", r =>
        {
            string[] modes = ["SAME_UPPER", "SAME_LOWER", "VALID"];
            NodeAttributes attributes = NodeAttributes.None.With("auto_pad", modes[r.NextInt(3)]).With("strides", [r.Between(1, 2), r.Between(1, 3)]);
            return new(
                [r.Normal(r.Between(1, 2), 2, r.Between(3, 6), r.Between(3, 6)), r.Normal(2, 2, r.Between(1, 3), r.Between(1, 3))],
                (g, x) => g.Node("Conv", attributes, x));
        }),
        new("ConvTranspose", "", r => ConvTranspose(r, 2)),
        new("ConvTranspose", "one dimension", r => ConvTranspose(r, 1)),
    ];

    private static OperatorInstance Conv(SeededGenerator r, int group, int spatial, int? channels = null, int? filters = null)
    {
        int perGroup = (channels ?? (group * r.Between(1, 2))) / group;
        int outputs = filters ?? (group * r.Between(1, 2));
        NodeAttributes attributes = NodeAttributes.None.With("group", group)
            .With("strides", r.Each(spatial, 1, 2))
            .With("dilations", r.Each(spatial, 1, 2))
            .With("pads", r.Each(2 * spatial, 0, 2));
        int[] kernel = [outputs, perGroup, .. r.Each(spatial, 1, 3).Select(k => (int)k)];
        int[] input = [r.Between(1, 2), perGroup * group, .. r.Each(spatial, 5, 7).Select(d => (int)d)];
        return new([r.Normal(input), r.Normal(kernel), r.Normal(outputs)], (g, x) => g.Node("Conv", attributes, x));
    }

    private static OperatorInstance ConvTranspose(SeededGenerator r, int spatial)
    {
        int group = r.Between(1, 2);
        int channels = group * r.Between(1, 2);
        long[] strides = r.Each(spatial, 1, 3);
        NodeAttributes attributes = NodeAttributes.None.With("group", group)
            .With("strides", strides)
            .With("pads", r.Each(2 * spatial, 0, 1))
            .With("output_padding", strides.Select(s => (long)r.NextInt((int)s)));
        int[] kernel = [channels, r.Between(1, 2), .. r.Each(spatial, 2, 3).Select(k => (int)k)];
        int[] input = [r.Between(1, 2), channels, .. r.Each(spatial, 2, 4).Select(d => (int)d)];
        return new([r.Normal(input), r.Normal(kernel), r.Normal(kernel[1] * group)], (g, x) => g.Node("ConvTranspose", attributes, x));
    }

    /// <summary>As many numbers in a range.</summary>
    internal static long[] Each(this SeededGenerator random, int count, int least, int most) =>
        [.. Enumerable.Range(0, count).Select(_ => (long)random.Between(least, most))];
}
