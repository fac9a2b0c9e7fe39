using Federated.Modeling.Onnx;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Matrix products.</summary>
internal static class MatrixCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        new("MatMul", "matrices", r => Product(r, [], [])),
        new("MatMul", "a matrix under a batch", r => Product(r, r.Shape(1, 2), [])),
        new("MatMul", "batches", r =>
        {
            int[][] batches = r.BroadcastShapes(2);
            return Product(r, batches[0], batches[1]);
        }),
        new("MatMul", "a row", r => Vector(r, rowLeft: true, columnRight: false)),
        new("MatMul", "a column", r => Vector(r, rowLeft: false, columnRight: true)),
        new("MatMul", "a row and a column", r => Vector(r, rowLeft: true, columnRight: true)),
        new("Gemm", "", Gemm),
        new("Gemm", "no third operand", r =>
        {
            OperatorInstance full = Gemm(r);
            return new(full.Operands[..2], full.Build);
        }),
    ];

    private static OperatorInstance Product(SeededGenerator random, int[] batchA, int[] batchB)
    {
        (int rows, int inner, int columns) = (random.Between(1, 4), random.Between(1, 4), random.Between(1, 4));
        return new([random.Normal([.. batchA, rows, inner]), random.Normal([.. batchB, inner, columns])], (g, x) => g.Node("MatMul", x[0], x[1]));
    }

    private static OperatorInstance Vector(SeededGenerator random, bool rowLeft, bool columnRight)
    {
        int inner = random.Between(1, 4);
        int[] batch = random.Shape(0, 2);
        int[] left = rowLeft ? [inner] : [.. batch, random.Between(1, 4), inner];
        int[] right = columnRight ? [inner] : [.. batch, inner, random.Between(1, 4)];
        return new([random.Normal(left), random.Normal(right)], (g, x) => g.Node("MatMul", x[0], x[1]));
    }

    private static OperatorInstance Gemm(SeededGenerator random)
    {
        (int rows, int inner, int columns) = (random.Between(1, 4), random.Between(1, 4), random.Between(1, 4));
        (int transA, int transB) = (random.NextInt(2), random.NextInt(2));
        NodeAttributes attributes = NodeAttributes.None.With("transA", transA).With("transB", transB).With("alpha", 0.5f).With("beta", -2f);
        Operand a = transA == 0 ? random.Normal(rows, inner) : random.Normal(inner, rows);
        Operand b = transB == 0 ? random.Normal(inner, columns) : random.Normal(columns, inner);
        return new([a, b, random.Normal(random.BroadcastTo([rows, columns]))], (g, x) => g.Node("Gemm", attributes, x));
    }
}
