using System.Collections.Frozen;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Shapes;

/// <summary>Element types and shapes of a node's outputs from its inputs and attributes: one entry an operator. Pure.</summary>
internal static class ShapeInference
{
    private static readonly FrozenDictionary<string, Func<GraphNode, InferredType[]>> ByOperator =
        new Dictionary<string, Func<GraphNode, InferredType[]>>(StringComparer.Ordinal)
        {
            ["Abs"] = ElementwiseShapes.Unary,
            ["Add"] = ElementwiseShapes.Binary,
            ["And"] = ElementwiseShapes.Comparison,
            ["ArgMax"] = ReductionShapes.ArgMax,
            ["AveragePool"] = PoolingShapes.AveragePool,
            ["BatchNormalization"] = NormalizationShapes.BatchNormalization,
            ["Cast"] = ElementwiseShapes.Cast,
            ["CastLike"] = SequenceShapes.CastLike,
            ["Ceil"] = ElementwiseShapes.Unary,
            ["Clip"] = ElementwiseShapes.Clip,
            ["Concat"] = SelectionShapes.Concat,
            ["ConstantOfShape"] = SequenceShapes.ConstantOfShape,
            ["Conv"] = ConvolutionShapes.Conv,
            ["ConvTranspose"] = ConvolutionShapes.ConvTranspose,
            ["Cos"] = ElementwiseShapes.Unary,
            ["CumSum"] = SequenceShapes.CumSum,
            ["DepthToSpace"] = LayoutShapes.DepthToSpace,
            ["Div"] = ElementwiseShapes.Binary,
            ["Dropout"] = SequenceShapes.Dropout,
            ["Elu"] = ElementwiseShapes.Unary,
            ["Equal"] = ElementwiseShapes.Comparison,
            ["Erf"] = ElementwiseShapes.Unary,
            ["Exp"] = ElementwiseShapes.Unary,
            ["Expand"] = LayoutShapes.Expand,
            ["Flatten"] = LayoutShapes.Flatten,
            ["Floor"] = ElementwiseShapes.Unary,
            ["Gather"] = SelectionShapes.Gather,
            ["GatherElements"] = SelectionShapes.GatherElements,
            ["Gelu"] = ElementwiseShapes.Gelu,
            ["Gemm"] = MatrixShapes.Gemm,
            ["GlobalAveragePool"] = PoolingShapes.Global,
            ["GlobalMaxPool"] = PoolingShapes.Global,
            ["Greater"] = ElementwiseShapes.Comparison,
            ["GreaterOrEqual"] = ElementwiseShapes.Comparison,
            ["HardSigmoid"] = ElementwiseShapes.Unary,
            ["HardSwish"] = ElementwiseShapes.Unary,
            ["Identity"] = ElementwiseShapes.Unary,
            ["IsNaN"] = SequenceShapes.Truth,
            ["LayerNormalization"] = NormalizationShapes.LayerNormalization,
            ["LeakyRelu"] = ElementwiseShapes.Unary,
            ["Less"] = ElementwiseShapes.Comparison,
            ["LessOrEqual"] = ElementwiseShapes.Comparison,
            ["Log"] = ElementwiseShapes.Unary,
            ["LogSoftmax"] = ElementwiseShapes.AlongAxis,
            ["MatMul"] = MatrixShapes.MatMul,
            ["Max"] = ElementwiseShapes.Variadic,
            ["MaxPool"] = PoolingShapes.MaxPool,
            ["MaxUnpool"] = PoolingShapes.MaxUnpool,
            ["Min"] = ElementwiseShapes.Variadic,
            ["Mod"] = ElementwiseShapes.Binary,
            ["Mul"] = ElementwiseShapes.Binary,
            ["Neg"] = ElementwiseShapes.Unary,
            ["NonZero"] = SequenceShapes.NonZero,
            ["Not"] = ElementwiseShapes.Unary,
            ["OneHot"] = SelectionShapes.OneHot,
            ["Or"] = ElementwiseShapes.Comparison,
            ["Pad"] = SelectionShapes.Pad,
            ["Pow"] = ElementwiseShapes.Pow,
            ["Range"] = SequenceShapes.Range,
            ["Reciprocal"] = ElementwiseShapes.Unary,
            ["ReduceL2"] = ReductionShapes.ReduceSome,
            ["ReduceLogSumExp"] = ReductionShapes.ReduceSome,
            ["ReduceMax"] = ReductionShapes.Reduce,
            ["ReduceMean"] = ReductionShapes.Reduce,
            ["ReduceMin"] = ReductionShapes.Reduce,
            ["ReduceProd"] = ReductionShapes.Reduce,
            ["ReduceSum"] = ReductionShapes.Reduce,
            ["ReduceSumSquare"] = ReductionShapes.ReduceSome,
            ["Relu"] = ElementwiseShapes.Unary,
            ["Reshape"] = LayoutShapes.Reshape,
            ["Resize"] = SelectionShapes.Resize,
            ["Round"] = ElementwiseShapes.Unary,
            ["ScatterElements"] = SelectionShapes.Scatter,
            ["ScatterND"] = SelectionShapes.Scatter,
            ["Shape"] = LayoutShapes.ShapeOf,
            ["Sigmoid"] = ElementwiseShapes.Unary,
            ["Sign"] = ElementwiseShapes.Unary,
            ["Sin"] = ElementwiseShapes.Unary,
            ["Size"] = LayoutShapes.SizeOf,
            ["Slice"] = SelectionShapes.Slice,
            ["Softmax"] = ElementwiseShapes.AlongAxis,
            ["SoftmaxCrossEntropyLoss"] = ReductionShapes.SoftmaxCrossEntropyLoss,
            ["Softplus"] = ElementwiseShapes.Unary,
            ["SpaceToDepth"] = LayoutShapes.SpaceToDepth,
            ["Split"] = SelectionShapes.Split,
            ["Sqrt"] = ElementwiseShapes.Unary,
            ["Squeeze"] = LayoutShapes.Squeeze,
            ["Sub"] = ElementwiseShapes.Binary,
            ["Tanh"] = ElementwiseShapes.Unary,
            ["Tile"] = SelectionShapes.Tile,
            ["Transpose"] = LayoutShapes.Transpose,
            ["Trilu"] = SequenceShapes.Trilu,
            ["Unsqueeze"] = LayoutShapes.Unsqueeze,
            ["Where"] = ElementwiseShapes.Where,
            ["Xor"] = ElementwiseShapes.Comparison,
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Operators that have an entry.</summary>
    public static IEnumerable<string> Operators => ByOperator.Keys.Order(StringComparer.Ordinal);

    /// <summary>The types of the first <paramref name="outputCount"/> outputs.</summary>
    /// <exception cref="OnnxFormatException">The operator has no entry, the inputs do not fit it, or it has fewer outputs.</exception>
    public static IReadOnlyList<InferredType> Infer(GraphNode node, int outputCount)
    {
        if (!ByOperator.TryGetValue(node.OperatorType, out Func<GraphNode, InferredType[]>? infer))
        {
            throw node.Refuse($"this operator is not supported; supported are {string.Join(", ", Operators)}");
        }

        InferredType[] outputs = infer(node);
        return outputCount <= outputs.Length
            ? outputs[..outputCount]
            : throw node.Refuse($"{outputCount} outputs are wanted, {outputs.Length} are supported");
    }
}

/// <summary>What is known of one output before a run.</summary>
/// <param name="Type">Type of its elements.</param>
/// <param name="Shape">Its shape.</param>
internal readonly record struct InferredType(DataType Type, TensorShape Shape);
