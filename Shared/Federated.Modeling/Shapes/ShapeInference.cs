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
            ["BatchNormalization"] = NormalizationShapes.BatchNormalization,
            ["Cast"] = ElementwiseShapes.Cast,
            ["Clip"] = ElementwiseShapes.Clip,
            ["Concat"] = LayoutShapes.Concat,
            ["Conv"] = ConvolutionShapes.Conv,
            ["ConvTranspose"] = ConvolutionShapes.ConvTranspose,
            ["Cos"] = ElementwiseShapes.Unary,
            ["Div"] = ElementwiseShapes.Binary,
            ["Elu"] = ElementwiseShapes.Unary,
            ["Equal"] = ElementwiseShapes.Comparison,
            ["Erf"] = ElementwiseShapes.Unary,
            ["Exp"] = ElementwiseShapes.Unary,
            ["Expand"] = ElementwiseShapes.Expand,
            ["Flatten"] = LayoutShapes.Flatten,
            ["GatherElements"] = LayoutShapes.GatherElements,
            ["Gelu"] = ElementwiseShapes.Gelu,
            ["Gemm"] = MatrixShapes.Gemm,
            ["Greater"] = ElementwiseShapes.Comparison,
            ["HardSigmoid"] = ElementwiseShapes.Unary,
            ["HardSwish"] = ElementwiseShapes.Unary,
            ["Identity"] = ElementwiseShapes.Unary,
            ["LayerNormalization"] = NormalizationShapes.LayerNormalization,
            ["LeakyRelu"] = ElementwiseShapes.Unary,
            ["Log"] = ElementwiseShapes.Unary,
            ["LogSoftmax"] = ElementwiseShapes.AlongAxis,
            ["MatMul"] = MatrixShapes.MatMul,
            ["Max"] = ElementwiseShapes.Variadic,
            ["MaxPool"] = ConvolutionShapes.MaxPool,
            ["MaxUnpool"] = ConvolutionShapes.MaxUnpool,
            ["Min"] = ElementwiseShapes.Variadic,
            ["Mul"] = ElementwiseShapes.Binary,
            ["Neg"] = ElementwiseShapes.Unary,
            ["OneHot"] = LayoutShapes.OneHot,
            ["Pad"] = LayoutShapes.Pad,
            ["Pow"] = ElementwiseShapes.Pow,
            ["Range"] = LayoutShapes.Range,
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
            ["Shape"] = LayoutShapes.ShapeOf,
            ["Sigmoid"] = ElementwiseShapes.Unary,
            ["Sign"] = ElementwiseShapes.Unary,
            ["Sin"] = ElementwiseShapes.Unary,
            ["Size"] = LayoutShapes.SizeOf,
            ["Slice"] = LayoutShapes.Slice,
            ["Softmax"] = ElementwiseShapes.AlongAxis,
            ["SoftmaxCrossEntropyLoss"] = ReductionShapes.SoftmaxCrossEntropyLoss,
            ["Softplus"] = ElementwiseShapes.Unary,
            ["SpaceToDepth"] = LayoutShapes.SpaceToDepth,
            ["Sqrt"] = ElementwiseShapes.Unary,
            ["Sub"] = ElementwiseShapes.Binary,
            ["Tanh"] = ElementwiseShapes.Unary,
            ["Transpose"] = LayoutShapes.Transpose,
            ["Unsqueeze"] = LayoutShapes.Unsqueeze,
            ["Where"] = ElementwiseShapes.Where,
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
/// <param name="Describes">The shape its content spells, or counts: the output of Shape or Size.</param>
internal readonly record struct InferredType(DataType Type, TensorShape Shape, TensorShape? Describes = null);
