using System.Collections.Frozen;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

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
            ["Abs"] = Always(x => x[0]!.abs()),
            ["Add"] = Always(x => x[0]! + x[1]!),
            ["ArgMax"] = ReductionOperators.ArgMax,
            ["BatchNormalization"] = NormalizationOperators.BatchNormalization,
            ["Cast"] = LayoutOperators.Cast,
            ["Clip"] = ElementwiseOperators.Clip,
            ["Conv"] = ConvolutionOperators.Conv,
            ["Cos"] = Always(x => x[0]!.cos()),
            ["Div"] = Always(x => x[0]! / x[1]!),
            ["Elu"] = ElementwiseOperators.Elu,
            ["Equal"] = Always(x => x[0]!.eq(x[1]!)),
            ["Erf"] = Always(x => x[0]!.erf()),
            ["Exp"] = Always(x => x[0]!.exp()),
            ["Flatten"] = LayoutOperators.Flatten,
            ["GatherElements"] = LayoutOperators.GatherElements,
            ["Gelu"] = ElementwiseOperators.Gelu,
            ["Gemm"] = MatrixOperators.Gemm,
            ["HardSigmoid"] = ElementwiseOperators.HardSigmoid,
            ["HardSwish"] = Always(x => x[0]! * ((x[0]! / 6) + 0.5).clamp(0, 1)),
            ["Identity"] = Always(x => x[0]!.alias()),
            ["LayerNormalization"] = NormalizationOperators.LayerNormalization,
            ["LeakyRelu"] = ElementwiseOperators.LeakyRelu,
            ["Log"] = Always(x => x[0]!.log()),
            ["LogSoftmax"] = ReductionOperators.LogSoftmax,
            ["MatMul"] = Always(x => x[0]!.matmul(x[1]!)),
            ["Max"] = _ => ElementwiseOperators.Fold(maximum),
            ["MaxPool"] = ConvolutionOperators.MaxPool,
            ["Min"] = _ => ElementwiseOperators.Fold(minimum),
            ["Mul"] = Always(x => x[0]! * x[1]!),
            ["Neg"] = Always(x => -x[0]!),
            ["Pow"] = Always(x => x[0]!.pow(x[1]!)),
            ["Reciprocal"] = Always(x => x[0]!.reciprocal()),
            ["ReduceL2"] = ReductionOperators.Reduce((x, axes) => linalg.vector_norm(x, 2, axes, true)),
            ["ReduceLogSumExp"] = ReductionOperators.Reduce(ReductionOperators.LogSumExp),
            ["ReduceMax"] = ReductionOperators.Reduce((x, axes) => x.amax(axes, true)),
            ["ReduceMean"] = ReductionOperators.Reduce((x, axes) => x.mean(axes, true)),
            ["ReduceMin"] = ReductionOperators.Reduce((x, axes) => x.amin(axes, true)),
            ["ReduceProd"] = ReductionOperators.Reduce(ReductionOperators.Product),
            ["ReduceSum"] = ReductionOperators.Reduce((x, axes) => x.sum(axes, true)),
            ["ReduceSumSquare"] = ReductionOperators.Reduce((x, axes) => x.square().sum(axes, true)),
            ["Relu"] = Always(x => x[0]!.relu()),
            ["Reshape"] = LayoutOperators.Reshape,
            ["Sigmoid"] = Always(x => x[0]!.sigmoid()),
            ["Sin"] = Always(x => x[0]!.sin()),
            ["Softmax"] = ReductionOperators.Softmax,
            ["SoftmaxCrossEntropyLoss"] = ReductionOperators.SoftmaxCrossEntropyLoss,
            ["Softplus"] = Always(x => functional.softplus(x[0]!)),
            ["Sqrt"] = Always(x => x[0]!.sqrt()),
            ["Sub"] = Always(x => x[0]! - x[1]!),
            ["Tanh"] = Always(x => x[0]!.tanh()),
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
