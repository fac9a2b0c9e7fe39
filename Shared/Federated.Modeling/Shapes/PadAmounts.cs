using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Shapes;

/// <summary>What a Pad adds before and after each dimension; negative where it cuts off.</summary>
/// <param name="Begin">One for each dimension.</param>
/// <param name="End">One for each dimension.</param>
public sealed record PadAmounts(IReadOnlyList<long> Begin, IReadOnlyList<long> End)
{
    /// <summary>Reads a node's inputs: the pads and, unless left out, the axes they belong to.</summary>
    /// <exception cref="OnnxFormatException">The mode is not <c>constant</c>, or the pads are not known before a run or too few.</exception>
    public static PadAmounts Of(GraphNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        string mode = node.Attributes.TextOr("mode", "constant");
        if (mode != "constant")
        {
            throw node.Refuse($"attribute 'mode' is '{mode}'; 'constant' is supported");
        }

        int rank = node.Input(0).Shape.Rank;
        long[] pads = Axes.Constant(node, 1);
        int[] axes = node.OptionalInput(3) is null
            ? [.. Enumerable.Range(0, rank)]
            : [.. Axes.Constant(node, 3).Select(a => Axes.Normalize(node, a, rank))];
        if (pads.Length != 2 * axes.Length)
        {
            throw node.Refuse($"{pads.Length} pads for {axes.Length} dimensions of {node.Input(0).Shape}; two for each are needed");
        }

        long[] begin = new long[rank];
        long[] end = new long[rank];
        for (int i = 0; i < axes.Length; i++)
        {
            begin[axes[i]] = pads[i];
            end[axes[i]] = pads[i + axes.Length];
        }

        return new PadAmounts(begin, end);
    }
}
