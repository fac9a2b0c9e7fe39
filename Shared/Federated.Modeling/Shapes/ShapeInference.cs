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
            ["Add"] = ElementwiseShapes.Binary,
            ["And"] = ElementwiseShapes.Comparison,
            ["ArgMax"] = ReductionShapes.ArgMax,
            ["Cast"] = ElementwiseShapes.Cast,
            ["Concat"] = LayoutShapes.Concat,
            ["Conv"] = ConvolutionShapes.Conv,
            ["ConvTranspose"] = ConvolutionShapes.ConvTranspose,
            ["Div"] = ElementwiseShapes.Binary,
            ["Equal"] = ElementwiseShapes.Comparison,
            ["Exp"] = ElementwiseShapes.Unary,
            ["Flatten"] = LayoutShapes.Flatten,
            ["GatherElements"] = LayoutShapes.GatherElements,
            ["Gemm"] = MatrixShapes.Gemm,
            ["Greater"] = ElementwiseShapes.Comparison,
            ["Identity"] = ElementwiseShapes.Unary,
            ["LogSoftmax"] = ElementwiseShapes.Unary,
            ["MatMul"] = MatrixShapes.MatMul,
            ["MaxPool"] = ConvolutionShapes.MaxPool,
            ["MaxUnpool"] = ConvolutionShapes.MaxUnpool,
            ["Mul"] = ElementwiseShapes.Binary,
            ["Neg"] = ElementwiseShapes.Unary,
            ["OneHot"] = LayoutShapes.OneHot,
            ["Pad"] = LayoutShapes.Pad,
            ["Range"] = LayoutShapes.Range,
            ["ReduceMean"] = ReductionShapes.Reduce,
            ["ReduceSum"] = ReductionShapes.Reduce,
            ["Relu"] = ElementwiseShapes.Unary,
            ["Reshape"] = LayoutShapes.Reshape,
            ["Shape"] = LayoutShapes.ShapeOf,
            ["Sign"] = ElementwiseShapes.Unary,
            ["Size"] = LayoutShapes.SizeOf,
            ["Slice"] = LayoutShapes.Slice,
            ["SpaceToDepth"] = LayoutShapes.SpaceToDepth,
            ["Softmax"] = ElementwiseShapes.Unary,
            ["SoftmaxCrossEntropyLoss"] = ReductionShapes.SoftmaxCrossEntropyLoss,
            ["Sub"] = ElementwiseShapes.Binary,
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
