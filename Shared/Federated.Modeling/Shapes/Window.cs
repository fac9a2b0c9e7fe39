using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Shapes;

/// <summary>
/// How a 2-D kernel slides: the attributes Conv, ConvTranspose, MaxPool and MaxUnpool have in common. <c>auto_pad</c> is supported as
/// NOTSET and VALID.
/// </summary>
/// <param name="Kernel">Height and width.</param>
/// <param name="Strides">Along height and width.</param>
/// <param name="PadsBegin">Top and left.</param>
/// <param name="PadsEnd">Bottom and right.</param>
/// <param name="Dilations">Distance of the kernel's elements.</param>
/// <param name="Group">Groups of channels that do not mix.</param>
internal sealed record Window(
    ImmutableArray<long> Kernel,
    ImmutableArray<long> Strides,
    ImmutableArray<long> PadsBegin,
    ImmutableArray<long> PadsEnd,
    ImmutableArray<long> Dilations,
    long Group)
{
    /// <summary>Reads a node's attributes.</summary>
    /// <exception cref="OnnxFormatException">One of them has a value that is not supported.</exception>
    public static Window Of(GraphNode node, IReadOnlyList<long> kernel)
    {
        string autoPad = node.Attributes.TextOr("auto_pad", "NOTSET");
        if (autoPad is not ("NOTSET" or "VALID"))
        {
            throw node.Refuse($"attribute 'auto_pad' is '{autoPad}'; NOTSET with explicit 'pads', or VALID, is supported");
        }

        ImmutableArray<long> pads = autoPad == "VALID" ? [0, 0, 0, 0] : List(node, "pads", [0, 0, 0, 0]);
        return new Window(
            Matching(node, kernel),
            List(node, "strides", [1, 1]),
            pads[..2],
            pads[2..],
            List(node, "dilations", [1, 1]),
            node.Attributes.IntegerOr("group", 1));
    }

    /// <summary>Size of the output of a convolution or pooling along spatial axis 0 or 1.</summary>
    public long Output(GraphNode node, TensorShape input, int axis)
    {
        long room = input[axis + 2].Size + PadsBegin[axis] + PadsEnd[axis] - Reach(axis);
        return room >= 0
            ? (room / Strides[axis]) + 1
            : throw node.Refuse($"the kernel reaches over {Reach(axis)} elements, more than the padded input {input} has along axis {axis + 2}");
    }

    /// <summary>Size of the output of the transposed operator along spatial axis 0 or 1, without output padding.</summary>
    public long TransposedOutput(TensorShape input, int axis) =>
        ((input[axis + 2].Size - 1) * Strides[axis]) + Reach(axis) - PadsBegin[axis] - PadsEnd[axis];

    private long Reach(int axis) => ((Kernel[axis] - 1) * Dilations[axis]) + 1;

    private static ImmutableArray<long> Matching(GraphNode node, IReadOnlyList<long> kernel)
    {
        IReadOnlyList<long> stated = node.Attributes.Integers("kernel_shape") ?? kernel;
        return stated.Count == 2 && stated.SequenceEqual(kernel) && kernel.All(k => k > 0)
            ? [.. kernel]
            : throw node.Refuse($"attribute 'kernel_shape' is [{string.Join(", ", stated)}]; the weight says [{string.Join(", ", kernel)}], and two dimensions are supported");
    }

    private static ImmutableArray<long> List(GraphNode node, string name, ImmutableArray<long> defaults)
    {
        IReadOnlyList<long> values = node.Attributes.Integers(name) ?? defaults;
        bool valid = values.Count == defaults.Length && values.All(v => v >= defaults[0]);
        return valid
            ? [.. values]
            : throw node.Refuse($"attribute '{name}' is [{string.Join(", ", values)}]; {defaults.Length} values of at least {defaults[0]} are supported");
    }
}
