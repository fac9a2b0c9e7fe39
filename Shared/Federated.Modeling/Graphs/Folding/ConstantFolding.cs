using System.Collections.Frozen;
using System.Collections.Immutable;
using Federated.Modeling.Shapes;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Graphs.Folding;

/// <summary>
/// The content of a node's output when that of its inputs is known, one entry an operator: the operators exporters compute shapes, positions and masks
/// with. Whole numbers may be sizes of symbolic dimensions, and stay so where the operator only moves, multiplies or divides them.
/// </summary>
internal static class ConstantFolding
{
    /// <summary>Whole numbers of more elements than this are not followed outside of an import; shapes are shorter.</summary>
    private const int MaxShapeElements = 256;

    private static readonly FrozenDictionary<string, FoldRule> ByOperator = new Dictionary<string, FoldRule>(StringComparer.Ordinal)
    {
        ["Abs"] = ElementwiseFolding.Unary(Math.Abs, Math.Abs),
        ["Add"] = ElementwiseFolding.Binary(IntegerArithmetic.Add, (a, b) => a + b),
        ["And"] = ElementwiseFolding.Binary(IntegerArithmetic.OfKnown((a, b) => a & b)),
        ["Cast"] = ElementwiseFolding.Cast,
        ["CastLike"] = ElementwiseFolding.Cast,
        ["Ceil"] = ElementwiseFolding.Unary(null, Math.Ceiling),
        ["Concat"] = LayoutFolding.Concat,
        ["ConstantOfShape"] = SequenceFolding.ConstantOfShape,
        ["CumSum"] = SequenceFolding.CumSum,
        ["Div"] = ElementwiseFolding.Binary(IntegerArithmetic.Divide, (a, b) => a / b),
        ["Equal"] = ElementwiseFolding.Comparison(IntegerArithmetic.Equal, (a, b) => a == b),
        ["Exp"] = ElementwiseFolding.Unary(null, Math.Exp),
        ["Expand"] = LayoutFolding.Expand,
        ["Flatten"] = LayoutFolding.SameElements,
        ["Floor"] = ElementwiseFolding.Unary(null, Math.Floor),
        ["Gather"] = LayoutFolding.Gather,
        ["Greater"] = ElementwiseFolding.Comparison(IntegerArithmetic.OfKnown((a, b) => a > b ? 1 : 0), (a, b) => a > b),
        ["GreaterOrEqual"] = ElementwiseFolding.Comparison(IntegerArithmetic.OfKnown((a, b) => a >= b ? 1 : 0), (a, b) => a >= b),
        ["Identity"] = LayoutFolding.SameElements,
        ["Less"] = ElementwiseFolding.Comparison(IntegerArithmetic.OfKnown((a, b) => a < b ? 1 : 0), (a, b) => a < b),
        ["LessOrEqual"] = ElementwiseFolding.Comparison(IntegerArithmetic.OfKnown((a, b) => a <= b ? 1 : 0), (a, b) => a <= b),
        ["Log"] = ElementwiseFolding.Unary(null, Math.Log),
        ["Max"] = ElementwiseFolding.Binary(IntegerArithmetic.OfKnown(Math.Max), Math.Max),
        ["Min"] = ElementwiseFolding.Binary(IntegerArithmetic.OfKnown(Math.Min), Math.Min),
        ["Mod"] = ElementwiseFolding.Mod,
        ["Mul"] = ElementwiseFolding.Binary(IntegerArithmetic.Multiply, (a, b) => a * b),
        ["Neg"] = ElementwiseFolding.Unary(v => unchecked(-v), v => -v),
        ["NonZero"] = SequenceFolding.NonZero,
        ["Not"] = ElementwiseFolding.Unary(v => v ^ 1, null),
        ["Or"] = ElementwiseFolding.Binary(IntegerArithmetic.OfKnown((a, b) => a | b)),
        ["Pow"] = ElementwiseFolding.Pow,
        ["Range"] = SequenceFolding.Range,
        ["Reciprocal"] = ElementwiseFolding.Unary(null, v => 1 / v),
        ["ReduceMax"] = SequenceFolding.Reduce(IntegerArithmetic.OfKnown(Math.Max), Math.Max),
        ["ReduceMin"] = SequenceFolding.Reduce(IntegerArithmetic.OfKnown(Math.Min), Math.Min),
        ["ReduceProd"] = SequenceFolding.Reduce(IntegerArithmetic.Multiply, (a, b) => a * b),
        ["ReduceSum"] = SequenceFolding.Reduce(IntegerArithmetic.Add, (a, b) => a + b),
        ["Reshape"] = LayoutFolding.SameElements,
        ["Round"] = ElementwiseFolding.Unary(null, v => Math.Round(v, MidpointRounding.ToEven)),
        ["Shape"] = SequenceFolding.ShapeOf,
        ["Sign"] = ElementwiseFolding.Unary(v => Math.Sign(v), v => Math.Sign(v)),
        ["Size"] = SequenceFolding.SizeOf,
        ["Slice"] = LayoutFolding.Slice,
        ["Sqrt"] = ElementwiseFolding.Unary(null, Math.Sqrt),
        ["Squeeze"] = LayoutFolding.SameElements,
        ["Sub"] = ElementwiseFolding.Binary(IntegerArithmetic.Subtract, (a, b) => a - b),
        ["Tile"] = LayoutFolding.Tile,
        ["Transpose"] = LayoutFolding.Transpose,
        ["Trilu"] = SequenceFolding.Trilu,
        ["Unsqueeze"] = LayoutFolding.SameElements,
        ["Where"] = ElementwiseFolding.Where,
        ["Xor"] = ElementwiseFolding.Binary(IntegerArithmetic.OfKnown((a, b) => a ^ b)),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The content of a node's first output; null if it is not known.</summary>
    /// <param name="node">Its inputs fit the operator: shape inference has passed it.</param>
    /// <param name="output">What shape inference says of its first output.</param>
    public static KnownContent? Evaluate(GraphNode node, InferredType output) =>
        KnownContent.Supports(output.Type)
        && ByOperator.TryGetValue(node.OperatorType, out FoldRule? fold)
        && KnownContent.Sizes(output.Shape) is { } shape
            ? fold(node, output.Type, shape)
            : null;

    /// <summary>The content of a node's first output if it consists of few whole numbers, as shapes do; null else.</summary>
    public static KnownContent? EvaluateShape(GraphNode node, InferredType output) =>
        !KnownContent.Floating(output.Type) && output.Shape.Rank <= 1 && KnownContent.Sizes(output.Shape, MaxShapeElements) is not null
            ? Evaluate(node, output)
            : null;
}

/// <summary>Computes the output of a node; null if it is not known.</summary>
/// <param name="node">The node.</param>
/// <param name="type">Element type of the output.</param>
/// <param name="shape">Shape of the output.</param>
internal delegate KnownContent? FoldRule(GraphNode node, DataType type, ImmutableArray<int> shape);
