using Federated.Modeling.Graphs;
using Federated.Modeling.Shapes;
using static TorchSharp.torch;

namespace Federated.Training.Torch.Operators;

/// <summary>A window over one or two spatial dimensions, seen as one over height and width: a single dimension is the width of an image of height 1.</summary>
internal sealed class ImageWindow(Window window)
{
    private readonly bool _isLine = window.Spatial == 1;

    public long[] Kernel => Both(window.Kernel, 1);

    public long[] Strides { get; } = Both(window.Strides, 1);

    public long[] Dilations { get; } = Both(window.Dilations, 1);

    public long[] PadsBegin { get; } = Both(window.PadsBegin, 0);

    public long[] PadsEnd { get; } = Both(window.PadsEnd, 0);

    public long Group => window.Group;

    /// <summary>How many elements the kernel reaches over, along height and width.</summary>
    public long[] Reach => [.. Kernel.Zip(Dilations).Select(k => ((k.First - 1) * k.Second) + 1)];

    /// <summary>[N, C, W] as [N, C, 1, W].</summary>
    public Tensor ToImage(Tensor x) => _isLine ? x.unsqueeze(2) : x;

    public Tensor FromImage(Tensor x) => _isLine ? x.squeeze(2) : x;

    /// <summary>Height and width of a known shape.</summary>
    public static long[] Spatial(TensorShape shape) => Both([.. shape.Dimensions[2..].Select(d => d.Size)], 1);

    private static long[] Both(IReadOnlyList<long> values, long height) => values.Count == 1 ? [height, values[0]] : [.. values];
}
