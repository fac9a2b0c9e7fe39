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
    // The operators + and - make a factor of their own for each call, which the collector may free while torch still reads it: seen as
    // "Expected false to be true" from toDouble. These live as long as the program.
    private static readonly TorchSharp.Scalar _one = 1L;
    private static readonly TorchSharp.Scalar _minusOne = -1L;

    private static readonly FrozenDictionary<string, Func<GraphNode, TorchOperator>> ByOperator =
        new Dictionary<string, Func<GraphNode, TorchOperator>>(StringComparer.Ordinal)
        {
            ["Abs"] = Always(x => x[0]!.abs()),
            ["Add"] = Always(x => x[0]!.add(x[1]!, _one)),
            ["And"] = Always(x => x[0]!.logical_and(x[1]!)),
            ["ArgMax"] = ReductionOperators.ArgMax,
            ["AveragePool"] = PoolingOperators.AveragePool,
            ["BatchNormalization"] = NormalizationOperators.BatchNormalization,
            ["Cast"] = LayoutOperators.Cast,
            ["CastLike"] = Always(x => x[0]!.to(x[1]!.dtype)),
            ["Clip"] = ElementwiseOperators.Clip,
            ["Concat"] = SelectionOperators.Concat,
            ["ConstantOfShape"] = SequenceOperators.ConstantOfShape,
            ["Conv"] = ConvolutionOperators.Conv,
            ["ConvTranspose"] = ConvolutionOperators.ConvTranspose,
            ["Cos"] = Always(x => x[0]!.cos()),
            ["CumSum"] = SequenceOperators.CumSum,
            ["DepthToSpace"] = LayoutOperators.DepthToSpace,
            ["Div"] = Always(x => x[0]! / x[1]!),
            ["Dropout"] = Always(x => x[0]!.alias()),
            ["Elu"] = ElementwiseOperators.Elu,
            ["Equal"] = Always(x => x[0]!.eq(x[1]!)),
            ["Erf"] = Always(x => x[0]!.erf()),
            ["Exp"] = Always(x => x[0]!.exp()),
            ["Expand"] = LayoutOperators.Expand,
            ["Flatten"] = LayoutOperators.Flatten,
            ["Gather"] = SelectionOperators.Gather,
            ["GatherElements"] = SelectionOperators.GatherElements,
            ["Gelu"] = ElementwiseOperators.Gelu,
            ["Gemm"] = MatrixOperators.Gemm,
            ["GlobalAveragePool"] = PoolingOperators.Global((x, axes) => x.mean(axes, true)),
            ["GlobalMaxPool"] = PoolingOperators.Global((x, axes) => x.amax(axes, true)),
            ["Greater"] = Always(x => x[0]!.gt(x[1]!)),
            ["GreaterOrEqual"] = Always(x => x[0]!.ge(x[1]!)),
            ["HardSigmoid"] = ElementwiseOperators.HardSigmoid,
            ["HardSwish"] = Always(x => x[0]! * ((x[0]! / 6) + 0.5).clamp(0, 1)),
            ["Identity"] = Always(x => x[0]!.alias()),
            ["IsNaN"] = Always(x => x[0]!.isnan()),
            ["LayerNormalization"] = NormalizationOperators.LayerNormalization,
            ["LeakyRelu"] = ElementwiseOperators.LeakyRelu,
            ["Less"] = Always(x => x[0]!.lt(x[1]!)),
            ["LessOrEqual"] = Always(x => x[0]!.le(x[1]!)),
            ["Log"] = Always(x => x[0]!.log()),
            ["LogSoftmax"] = ReductionOperators.LogSoftmax,
            ["MatMul"] = Always(x => x[0]!.matmul(x[1]!)),
            ["Max"] = _ => ElementwiseOperators.Fold(maximum),
            ["MaxPool"] = PoolingOperators.MaxPool,
            ["Min"] = _ => ElementwiseOperators.Fold(minimum),
            ["Mul"] = Always(x => x[0]! * x[1]!),
            ["Neg"] = Always(x => -x[0]!),
            ["Not"] = Always(x => x[0]!.logical_not()),
            ["Or"] = Always(x => x[0]!.logical_or(x[1]!)),
            ["Pad"] = SelectionOperators.Pad,
            ["Pow"] = Always(x => x[0]!.pow(x[1]!)),
            ["Range"] = SequenceOperators.Range,
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
            ["Resize"] = SelectionOperators.Resize,
            ["Shape"] = SequenceOperators.ShapeOf,
            ["Sigmoid"] = Always(x => x[0]!.sigmoid()),
            ["Sin"] = Always(x => x[0]!.sin()),
            ["Size"] = Always(x => tensor(x[0]!.numel(), device: x[0]!.device)),
            ["Slice"] = SelectionOperators.Slice,
            ["Softmax"] = ReductionOperators.Softmax,
            ["SoftmaxCrossEntropyLoss"] = ReductionOperators.SoftmaxCrossEntropyLoss,
            ["Softplus"] = Always(x => functional.softplus(x[0]!)),
            ["SpaceToDepth"] = LayoutOperators.SpaceToDepth,
            ["Split"] = node => SelectionOperators.Split(node, 0),
            ["Sqrt"] = Always(x => x[0]!.sqrt()),
            ["Squeeze"] = LayoutOperators.Squeeze,
            ["Sub"] = Always(x => x[0]!.add(x[1]!, _minusOne)),
            ["Tanh"] = Always(x => x[0]!.tanh()),
            ["Tile"] = SelectionOperators.Tile,
            ["Transpose"] = LayoutOperators.Transpose,
            ["Trilu"] = SequenceOperators.Trilu,
            ["Unsqueeze"] = LayoutOperators.Unsqueeze,
            ["Where"] = Always(x => where(x[0]!, x[1]!, x[2]!)),
            ["Xor"] = Always(x => x[0]!.logical_xor(x[1]!)),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The operators that have an entry, in ordinal order.</summary>
    public static IEnumerable<string> Operators => ByOperator.Keys.Order(StringComparer.Ordinal);

    /// <summary>Binds a node's attributes to the operator that computes one of its outputs.</summary>
    /// <exception cref="OnnxFormatException">The operator has no entry, or the node asks for something its entry does not support.</exception>
    public static TorchOperator Bind(GraphNode node, int output = 0)
    {
        if (!ByOperator.TryGetValue(node.OperatorType, out Func<GraphNode, TorchOperator>? bind))
        {
            throw node.Refuse($"the torch engine does not have this operator; it has {string.Join(", ", Operators)}");
        }

        if (node.OperatorType == "Split")
        {
            return SelectionOperators.Split(node, output);
        }

        return output == 0
            ? bind(node)
            : throw node.Refuse("the torch engine gives the first output only; leave the others out");
    }

    private static Func<GraphNode, TorchOperator> Always(TorchOperator run) => _ => run;
}
