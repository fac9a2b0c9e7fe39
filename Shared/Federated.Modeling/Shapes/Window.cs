using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Shapes;

/// <summary>
/// How a kernel slides over one or two spatial dimensions: the attributes that convolutions and poolings have in common. Padding that a node asks for by
/// <c>auto_pad</c> is worked out here, so that everybody else sees numbers.
/// </summary>
/// <param name="Kernel">Size along each spatial dimension.</param>
/// <param name="Strides">Steps along each.</param>
/// <param name="PadsBegin">Before each.</param>
/// <param name="PadsEnd">After each.</param>
/// <param name="Dilations">Distance of the kernel's elements along each.</param>
/// <param name="Group">Groups of channels that do not mix.</param>
/// <param name="Ceiling">Whether a last window that hangs over the end counts.</param>
public sealed record Window(
    ImmutableArray<long> Kernel,
    ImmutableArray<long> Strides,
    ImmutableArray<long> PadsBegin,
    ImmutableArray<long> PadsEnd,
    ImmutableArray<long> Dilations,
    long Group,
    bool Ceiling)
{
    private const int MaxSpatial = 2;

    /// <summary>How many dimensions the kernel slides over.</summary>
    public int Spatial => Kernel.Length;

    /// <summary>Padding as the <c>pads</c> attribute lists it.</summary>
    public ImmutableArray<long> Pads => [.. PadsBegin, .. PadsEnd];

    /// <summary>The axes it slides over.</summary>
    public IEnumerable<int> Axes => Enumerable.Range(2, Spatial);

    /// <summary>True if there is no padding.</summary>
    public bool IsUnpadded => Pads.All(p => p == 0);

    /// <summary>The window of a convolution, forward or transposed, with the kernel of its weight.</summary>
    /// <exception cref="OnnxFormatException">An attribute has a value that is not supported.</exception>
    public static Window OfConvolution(GraphNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        TensorShape weight = node.Input(1).Shape;
        return weight.Rank >= 3 && weight.Dimensions[2..].All(d => !d.IsSymbolic)
            ? Of(node, [.. weight.Dimensions[2..].Select(d => d.Size)])
            : throw node.Refuse($"input 1 has shape {weight}; [filters, channels, kernel…] with a known kernel is needed");
    }

    /// <summary>The window of a pooling, with the kernel its attribute states.</summary>
    /// <exception cref="OnnxFormatException">An attribute is missing or has a value that is not supported.</exception>
    public static Window OfPooling(GraphNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return Of(node, [.. node.Attributes.Integers("kernel_shape") ?? throw node.Refuse("attribute 'kernel_shape' is missing")]);
    }

    /// <summary>Size of the output of a convolution or pooling along a spatial dimension.</summary>
    public long Output(GraphNode node, int spatial)
    {
        ArgumentNullException.ThrowIfNull(node);
        TensorShape input = node.Input(0).Shape;
        long size = input[spatial + 2].Size;
        long room = size + PadsBegin[spatial] + PadsEnd[spatial] - Reach(spatial);
        if (room < 0)
        {
            throw node.Refuse($"the kernel reaches over {Reach(spatial)} elements, more than the padded input {input} has along axis {spatial + 2}");
        }

        long whole = (room / Strides[spatial]) + 1;
        bool another = Ceiling && room % Strides[spatial] != 0 && whole * Strides[spatial] < size + PadsBegin[spatial];
        return another ? whole + 1 : whole;
    }

    /// <summary>Size of the output of the transposed operator along a spatial dimension, without output padding.</summary>
    public long TransposedOutput(TensorShape input, int spatial)
    {
        ArgumentNullException.ThrowIfNull(input);
        return ((input[spatial + 2].Size - 1) * Strides[spatial]) + Reach(spatial) - PadsBegin[spatial] - PadsEnd[spatial];
    }

    /// <summary>How many elements the kernel reaches over.</summary>
    public long Reach(int spatial) => ((Kernel[spatial] - 1) * Dilations[spatial]) + 1;

    private static Window Of(GraphNode node, ImmutableArray<long> kernel)
    {
        IReadOnlyList<long> stated = node.Attributes.Integers("kernel_shape") ?? kernel;
        if (!stated.SequenceEqual(kernel) || kernel.Length > MaxSpatial || kernel.Any(k => k < 1))
        {
            throw node.Refuse($"attribute 'kernel_shape' is [{string.Join(", ", stated)}] for the kernel [{string.Join(", ", kernel)}]; one or two dimensions are supported");
        }

        TensorShape input = node.Input(0).Shape;
        if (input.Rank != kernel.Length + 2 || input.Dimensions[2..].Any(d => d.IsSymbolic))
        {
            throw node.Refuse($"input 0 has shape {input}; [N, channels, …] with {kernel.Length} more dimensions, all known, is needed");
        }

        Window window = new(
            kernel, List(node, "strides", kernel.Length, 1), default, default, List(node, "dilations", kernel.Length, 1),
            node.Attributes.IntegerOr("group", 1), node.Attributes.IntegerOr("ceil_mode", 0) != 0);
        return window.Padded(node);
    }

    /// <summary>SAME gives ⌈size / stride⌉ outputs; an odd element of padding goes to the end (UPPER) or the beginning (LOWER).</summary>
    private Window Padded(GraphNode node)
    {
        string autoPad = node.Attributes.TextOr("auto_pad", "NOTSET");
        if (autoPad == "NOTSET")
        {
            ImmutableArray<long> pads = List(node, "pads", 2 * Spatial, 0);
            return this with { PadsBegin = pads[..Spatial], PadsEnd = pads[Spatial..] };
        }

        bool same = autoPad is "SAME_UPPER" or "SAME_LOWER" && node.OperatorType != "ConvTranspose";
        if (!same && autoPad != "VALID")
        {
            throw node.Refuse($"attribute 'auto_pad' is '{autoPad}'; NOTSET with explicit 'pads', VALID and, but for ConvTranspose, SAME_UPPER and SAME_LOWER are supported");
        }

        TensorShape input = node.Input(0).Shape;
        ImmutableArray<long> missing = [.. Enumerable.Range(0, Spatial).Select(i => same ? Missing(input[i + 2].Size, i) : 0)];
        ImmutableArray<long> less = [.. missing.Select(m => m / 2)];
        ImmutableArray<long> more = [.. missing.Select(m => m - (m / 2))];
        return autoPad == "SAME_LOWER" ? this with { PadsBegin = more, PadsEnd = less } : this with { PadsBegin = less, PadsEnd = more };
    }

    private long Missing(long size, int spatial)
    {
        long outputs = (size + Strides[spatial] - 1) / Strides[spatial];
        return Math.Max(0, ((outputs - 1) * Strides[spatial]) + Reach(spatial) - size);
    }

    private static ImmutableArray<long> List(GraphNode node, string name, int count, long least)
    {
        IReadOnlyList<long> values = node.Attributes.Integers(name) ?? [.. Enumerable.Repeat(least, count)];
        return values.Count == count && values.All(v => v >= least)
            ? [.. values]
            : throw node.Refuse($"attribute '{name}' is [{string.Join(", ", values)}]; {count} values of at least {least} are supported");
    }
}
