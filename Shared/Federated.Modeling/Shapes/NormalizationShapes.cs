using Federated.Modeling.Graphs;

namespace Federated.Modeling.Shapes;

/// <summary>Operators that shift and scale to mean 0 and variance 1.</summary>
internal static class NormalizationShapes
{
    public static InferredType[] LayerNormalization(GraphNode node)
    {
        GraphValue input = node.Input(0);
        HashSet<long> axes = [.. NormalizedAxes(node)];
        _ = ElementwiseShapes.SameType(node, 0, 1);
        foreach (GraphValue factor in node.Inputs.Skip(1).OfType<GraphValue>())
        {
            if (!input.Shape.Equals(TensorShape.Broadcast(factor.Shape, input.Shape)) || factor.Shape.Rank > axes.Count)
            {
                throw node.Refuse($"'{factor.Name}' {factor.Shape} does not broadcast to the normalized dimensions of {input.Shape}");
            }
        }

        TensorShape statistics = TensorShape.Of(input.Shape.Dimensions.Select((d, i) => axes.Contains(i) ? 1 : d));
        return [new(input.ElementType, input.Shape), new(input.ElementType, statistics), new(input.ElementType, statistics)];
    }

    /// <summary>The dimensions that LayerNormalization takes mean and variance over.</summary>
    public static long[] NormalizedAxes(GraphNode node)
    {
        int rank = node.Input(0).Shape.Rank;
        int first = Axes.Normalize(node, node.Attributes.IntegerOr("axis", -1), rank);
        return [.. Enumerable.Range(first, rank - first).Select(i => (long)i)];
    }

    public static InferredType[] BatchNormalization(GraphNode node)
    {
        if (node.Attributes.IntegerOr("training_mode", 0) != 0)
        {
            throw node.Refuse("attribute 'training_mode' is 1; 0 is supported: statistics of a batch are no parameters. Export the model for inference");
        }

        TensorShape shape = node.Input(0).Shape;
        for (int i = 1; i <= 4; i++)
        {
            if (shape.Rank < 2 || !node.Input(i).Shape.Equals(TensorShape.Of(shape[1])))
            {
                throw node.Refuse($"input {i} has shape {node.Input(i).Shape}; one element for each channel of {shape} is needed");
            }
        }

        return [new(ElementwiseShapes.SameType(node, 0, 1), shape)];
    }
}
