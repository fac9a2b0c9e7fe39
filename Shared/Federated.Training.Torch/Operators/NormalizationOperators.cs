using Federated.Modeling.Graphs;
using static TorchSharp.torch;

namespace Federated.Training.Torch.Operators;

/// <summary>Operators that shift and scale to mean 0 and variance 1, written out: their factors may have any shape that broadcasts.</summary>
internal static class NormalizationOperators
{
    /// <summary>Over the dimensions from an axis on, by the variance of all elements (not of a sample).</summary>
    public static TorchOperator LayerNormalization(GraphNode node)
    {
        int rank = node.Input(0).Shape.Rank;
        int axis = checked((int)node.Attributes.IntegerOr("axis", -1));
        int first = axis < 0 ? axis + rank : axis;
        long[] axes = [.. Enumerable.Range(first, rank - first).Select(i => (long)i)];
        double epsilon = node.Attributes.NumberOr("epsilon", 1e-5f);
        return inputs =>
        {
            Tensor centered = inputs[0]! - inputs[0]!.mean(axes, true);
            Tensor scaled = centered / (centered.square().mean(axes, true) + epsilon).sqrt() * inputs[1]!;
            return inputs.Count > 2 && inputs[2] is { } shift ? scaled + shift : scaled;
        };
    }

    /// <summary>By channel, with statistics that are given: X [N, C, …], the rest [C].</summary>
    public static TorchOperator BatchNormalization(GraphNode node)
    {
        long[] channels = [-1, .. Enumerable.Repeat(1L, Math.Max(0, node.Input(0).Shape.Rank - 2))];
        double epsilon = node.Attributes.NumberOr("epsilon", 1e-5f);
        return inputs =>
        {
            Tensor Channel(int i) => inputs[i]!.reshape(channels);
            return ((inputs[0]! - Channel(3)) / (Channel(4) + epsilon).sqrt() * Channel(1)) + Channel(2);
        };
    }
}
