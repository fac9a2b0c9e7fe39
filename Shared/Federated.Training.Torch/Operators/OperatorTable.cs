using System.Collections.Frozen;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Training.Torch.Operators;

/// <summary>
/// ONNX operators in torch's words, one entry each. An entry reads a node's attributes once, when a model is loaded, and refuses there what it
/// does not support; types and shapes were checked before, when the graph was read. That order matters: some functions of TorchSharp 0.107
/// (<c>matmul</c> among them) end the process instead of throwing when shapes do not fit.
/// </summary>
internal static class OperatorTable
{
    private static readonly FrozenDictionary<string, Func<GraphNode, TorchOperator>> ByOperator =
        new Dictionary<string, Func<GraphNode, TorchOperator>>(StringComparer.Ordinal)
        {
            ["Add"] = Always(x => x[0]! + x[1]!),
            ["ArgMax"] = ReductionOperators.ArgMax,
            ["Cast"] = LayoutOperators.Cast,
            ["Conv"] = ConvolutionOperators.Conv,
            ["Div"] = Always(x => x[0]! / x[1]!),
            ["Equal"] = Always(x => x[0]!.eq(x[1]!)),
            ["Exp"] = Always(x => x[0]!.exp()),
            ["Flatten"] = LayoutOperators.Flatten,
            ["GatherElements"] = LayoutOperators.GatherElements,
            ["Gemm"] = MatrixOperators.Gemm,
            ["Identity"] = Always(x => x[0]!.alias()),
            ["LogSoftmax"] = ReductionOperators.LogSoftmax,
            ["MatMul"] = Always(x => x[0]!.matmul(x[1]!)),
            ["MaxPool"] = ConvolutionOperators.MaxPool,
            ["Mul"] = Always(x => x[0]! * x[1]!),
            ["Neg"] = Always(x => -x[0]!),
            ["ReduceMean"] = ReductionOperators.ReduceMean,
            ["ReduceSum"] = ReductionOperators.ReduceSum,
            ["Relu"] = Always(x => x[0]!.relu()),
            ["Reshape"] = LayoutOperators.Reshape,
            ["Softmax"] = ReductionOperators.Softmax,
            ["SoftmaxCrossEntropyLoss"] = ReductionOperators.SoftmaxCrossEntropyLoss,
            ["Sub"] = Always(x => x[0]! - x[1]!),
            ["Transpose"] = LayoutOperators.Transpose,
            ["Unsqueeze"] = LayoutOperators.Unsqueeze,
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The operators that have an entry, in ordinal order.</summary>
    public static IEnumerable<string> Operators => ByOperator.Keys.Order(StringComparer.Ordinal);

    /// <summary>Binds a node's attributes to its operator.</summary>
    /// <exception cref="OnnxFormatException">The operator has no entry, or the node asks for something its entry does not support.</exception>
    public static TorchOperator Bind(GraphNode node)
    {
        if (!ByOperator.TryGetValue(node.OperatorType, out Func<GraphNode, TorchOperator>? bind))
        {
            throw node.Refuse($"the torch engine does not have this operator; it has {string.Join(", ", Operators)}");
        }

        if (node.Outputs.Skip(1).Any(o => o is not null))
        {
            throw node.Refuse("the torch engine gives the first output only; leave the others out");
        }

        return bind(node);
    }

    private static Func<GraphNode, TorchOperator> Always(TorchOperator run) => _ => run;
}
