using Federated.Modeling.Graphs;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Shapes;

/// <summary>Operators that remove dimensions.</summary>
internal static class ReductionShapes
{
    public static InferredType[] Reduce(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        HashSet<int> axes = AxesOf(node);
        bool keep = node.Attributes.IntegerOr("keepdims", 1) != 0;
        return [new(node.Input(0).ElementType, Without(shape, axes, keep))];
    }

    /// <summary>Reductions that change even a single element, so that "no axes" could mean that or nothing: it is refused.</summary>
    public static InferredType[] ReduceSome(GraphNode node) => AxesOf(node).Count > 0 || node.Input(0).Shape.Rank == 0
        ? Reduce(node)
        : throw node.Refuse("attribute 'noop_with_empty_axes' is 1 and there are no axes; state the axes, or leave the attribute out to reduce all");

    public static InferredType[] ArgMax(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", 0), shape.Rank);
        return [new(DataType.Int64, Without(shape, [axis], node.Attributes.IntegerOr("keepdims", 1) != 0))];
    }

    public static InferredType[] SoftmaxCrossEntropyLoss(GraphNode node)
    {
        TensorShape logits = node.Input(0).Shape;
        TensorShape labels = node.Input(1).Shape;
        if (logits.Rank != 2 || labels.Rank != 1 || logits[0] != labels[0])
        {
            throw node.Refuse($"scores {logits} and labels {labels}; [N, classes] and [N] are supported");
        }

        bool reduced = node.Attributes.TextOr("reduction", "mean") != "none";
        DataType type = node.Input(0).ElementType;
        return [new(type, reduced ? TensorShape.Scalar : labels), new(type, logits)];
    }

    /// <summary>The axes a Reduce operator works on: its second input (operator set 13 for ReduceSum, 18 for the others), or all.</summary>
    public static HashSet<int> AxesOf(GraphNode node)
    {
        int rank = node.Input(0).Shape.Rank;
        IEnumerable<long> axes = node.OptionalInput(1) is null ? node.Attributes.Integers("axes") ?? [] : Axes.Constant(node, 1);
        HashSet<int> normalized = [.. axes.Select(a => Axes.Normalize(node, a, rank))];
        return normalized.Count > 0 || node.Attributes.IntegerOr("noop_with_empty_axes", 0) != 0 ? normalized : [.. Enumerable.Range(0, rank)];
    }

    private static TensorShape Without(TensorShape shape, HashSet<int> axes, bool keep) => TensorShape.Of(
        shape.Dimensions.Select((d, i) => (Dimension: axes.Contains(i) ? 1 : d, Stays: keep || !axes.Contains(i)))
            .Where(d => d.Stays)
            .Select(d => d.Dimension));
}
