using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Shapes;

/// <summary>How much of the axis each output of a Split gets.</summary>
public static class SplitSizes
{
    /// <summary>The second input, or <c>num_outputs</c> equal parts of which the last may be smaller.</summary>
    /// <exception cref="OnnxFormatException">The dimension or the sizes are not known before a run, or do not fit.</exception>
    public static ImmutableArray<long> Of(GraphNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        TensorShape shape = node.Input(0).Shape;
        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", 0), shape.Rank);
        if (shape[axis].IsSymbolic)
        {
            throw node.Refuse($"axis {axis} of {shape} is symbolic; only known dimensions can be split");
        }

        long size = shape[axis].Size;
        if (node.OptionalInput(1) is not null)
        {
            long[] sizes = Axes.Constant(node, 1);
            return sizes.All(s => s >= 0) && sizes.Sum() == size ? [.. sizes] : throw node.Refuse($"the sizes [{string.Join(", ", sizes)}] do not add up to {size}");
        }

        long count = node.Attributes.IntegerOr("num_outputs", 0);
        long part = count > 0 ? (size + count - 1) / count : 0;
        return part > 0 && (count - 1) * part < size
            ? [.. Enumerable.Range(0, (int)count).Select(i => Math.Min(part, size - (i * part)))]
            : throw node.Refuse($"attribute 'num_outputs' is {count}; a dimension of {size} cannot be split so");
    }
}
