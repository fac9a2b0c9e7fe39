using Federated.Modeling.Graphs;

namespace Federated.Modeling.Shapes;

/// <summary>Matrix products.</summary>
internal static class MatrixShapes
{
    public static InferredType[] Gemm(GraphNode node)
    {
        TensorShape a = Matrix(node, 0);
        TensorShape b = Matrix(node, 1);
        (Dimension rows, Dimension inner) = node.Attributes.IntegerOr("transA", 0) != 0 ? (a[1], a[0]) : (a[0], a[1]);
        (Dimension innerB, Dimension columns) = node.Attributes.IntegerOr("transB", 0) != 0 ? (b[1], b[0]) : (b[0], b[1]);
        RequireFit(node, inner, innerB, a, b);
        TensorShape result = TensorShape.Of(rows, columns);
        if (node.OptionalInput(2) is { } c && !result.Equals(TensorShape.Broadcast(c.Shape, result)))
        {
            throw node.Refuse($"the third input {c} does not broadcast to the product's shape {result}");
        }

        return [new(ElementwiseShapes.SameType(node, 0, 1), result)];
    }

    /// <summary>A vector on the left counts as a row, on the right as a column; the result lacks that dimension.</summary>
    public static InferredType[] MatMul(GraphNode node)
    {
        TensorShape a = node.Input(0).Shape;
        TensorShape b = node.Input(1).Shape;
        if (a.Rank == 0 || b.Rank == 0)
        {
            throw node.Refuse($"operands {a} and {b}; a scalar has no product of matrices, use Mul");
        }

        RequireFit(node, a[-1], b.Rank == 1 ? b[0] : b[-2], a, b);
        TensorShape batchA = TensorShape.Of(a.Dimensions[..Math.Max(0, a.Rank - 2)]);
        TensorShape batchB = TensorShape.Of(b.Dimensions[..Math.Max(0, b.Rank - 2)]);
        TensorShape batch = TensorShape.Broadcast(batchA, batchB)
            ?? throw node.Refuse($"the leading dimensions of {a} and {b} do not broadcast");
        IEnumerable<Dimension> rows = a.Rank == 1 ? [] : [a[-2]];
        IEnumerable<Dimension> columns = b.Rank == 1 ? [] : [b[-1]];
        return [new(ElementwiseShapes.SameType(node, 0, 1), TensorShape.Of([.. batch.Dimensions, .. rows, .. columns]))];
    }

    private static TensorShape Matrix(GraphNode node, int index)
    {
        TensorShape shape = node.Input(index).Shape;
        return shape.Rank == 2 ? shape : throw node.Refuse($"input {index} has shape {shape}; a matrix is needed");
    }

    private static void RequireFit(GraphNode node, Dimension inner, Dimension innerB, TensorShape a, TensorShape b)
    {
        if (inner != innerB)
        {
            throw node.Refuse($"the inner dimensions {inner} and {innerB} of {a} and {b} differ");
        }
    }
}
