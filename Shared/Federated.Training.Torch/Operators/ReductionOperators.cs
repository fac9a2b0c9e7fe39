using Federated.Modeling.Graphs;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Training.Torch.Operators;

/// <summary>Operators that look along an axis, and the loss.</summary>
internal static class ReductionOperators
{
    /// <summary>Index of the greatest value along an axis.</summary>
    public static TorchOperator ArgMax(GraphNode node)
    {
        if (node.Attributes.IntegerOr("select_last_index", 0) != 0)
        {
            throw node.Refuse("attribute 'select_last_index' is set; the torch engine gives the first index of equal values");
        }

        long axis = node.Attributes.IntegerOr("axis", 0);
        bool keep = Keeps(node);
        return inputs => inputs[0]!.argmax(axis, keep);
    }

    /// <summary>A function over axes; without axes the input as it is, except for a scalar, of which the function is taken.</summary>
    /// <param name="reduce">From a tensor and axes counted from the front, whose dimensions it keeps as 1.</param>
    public static Func<GraphNode, TorchOperator> Reduce(Func<Tensor, long[], Tensor> reduce) => node =>
    {
        int rank = node.Input(0).Shape.Rank;
        long[] axes = [.. Axes(node).Select(a => a < 0 ? a + rank : a).Distinct().Order()];
        bool keep = Keeps(node);
        if (axes.Length == 0 && rank > 0)
        {
            return inputs => inputs[0]!.alias();
        }

        return inputs =>
        {
            // A scalar is a vector of one element for the length of the reduction.
            Tensor kept = rank == 0 ? reduce(inputs[0]!.reshape(1), [0]) : reduce(inputs[0]!, axes);
            return rank == 0 ? kept.reshape([]) : keep ? kept : axes.Reverse().Aggregate(kept, (x, axis) => x.squeeze(axis));
        };
    };

    /// <summary>Sum of the exponentials' logarithm, from which the greatest element is taken out first.</summary>
    public static Tensor LogSumExp(Tensor x, long[] axes)
    {
        Tensor greatest = x.detach().amax(axes, true);
        return (x - greatest).exp().sum(axes, true).log() + greatest;
    }

    /// <summary>Product, axis after axis.</summary>
    public static Tensor Product(Tensor x, long[] axes) => axes.Aggregate(x, (y, axis) => y.prod(axis, true));

    /// <summary>exp(x) / sum exp(x) along an axis.</summary>
    public static TorchOperator Softmax(GraphNode node)
    {
        long axis = node.Attributes.IntegerOr("axis", -1);
        return inputs => functional.softmax(inputs[0]!, axis);
    }

    /// <summary>The logarithm of <see cref="Softmax"/>, without its rounding.</summary>
    public static TorchOperator LogSoftmax(GraphNode node)
    {
        long axis = node.Attributes.IntegerOr("axis", -1);
        return inputs => functional.log_softmax(inputs[0]!, axis);
    }

    /// <summary>Cross-entropy of labels [N] against scores [N, classes]; the scores are not normalized yet.</summary>
    public static TorchOperator SoftmaxCrossEntropyLoss(GraphNode node)
    {
        if (node.OptionalInput(2) is not null || node.Attributes.Has("ignore_index"))
        {
            throw node.Refuse("class weights (input 2) or 'ignore_index' are given; the torch engine counts every example alike");
        }

        string name = node.Attributes.TextOr("reduction", "mean");
        Reduction reduction = name switch
        {
            "mean" => Reduction.Mean,
            "sum" => Reduction.Sum,
            "none" => Reduction.None,
            _ => throw node.Refuse($"attribute 'reduction' is '{name}'; mean, sum and none are known"),
        };
        return inputs => functional.cross_entropy(inputs[0]!, inputs[1]!, reduction: reduction);
    }

    private static bool Keeps(GraphNode node) => node.Attributes.IntegerOr("keepdims", 1) != 0;

    /// <summary>The axes, as an input (operator sets 13 and 18) or an attribute; none given means all, unless the node says it means none.</summary>
    private static long[] Axes(GraphNode node)
    {
        long[] axes = node.OptionalInput(1) is null ? [.. node.Attributes.Integers("axes") ?? []] : ConstantInputs.Read(node, 1, "the axes");
        bool all = axes.Length == 0 && node.Attributes.IntegerOr("noop_with_empty_axes", 0) == 0;
        return all ? [.. Enumerable.Range(0, node.Input(0).Shape.Rank).Select(i => (long)i)] : axes;
    }
}
