using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Y = A · B over the last two dimensions, the leading ones broadcast. dA = dY · Bᵀ and dB = Aᵀ · dY, summed to the operands' shapes.
/// Matrices use Gemm, which transposes without a copy; a matrix B under a batch of A is one product over all rows.
/// </summary>
internal sealed class MatMulGradient : IGradientRule
{
    public string OperatorType => "MatMul";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        GraphNode node = context.Node;
        GraphValue gradient = context.OutputGradient;
        GraphValue a = node.Input(0);
        GraphValue b = node.Input(1);
        bool matrices = a.Shape.Rank == 2 && b.Shape.Rank == 2;
        bool rowsOfOneMatrix = b.Shape.Rank == 2 && a.Shape.Rank > 2;
        if (context.Needs(0))
        {
            GraphValue full = matrices
                ? graph.Product(gradient, false, b, true)
                : graph.Node("MatMul", gradient, SwapLastTwo(graph, b));
            context.Accumulate(0, graph.SumTo(full, a, node));
        }

        if (context.Needs(1))
        {
            GraphValue full = matrices ? graph.Product(a, true, gradient, false)
                : rowsOfOneMatrix ? graph.Product(Rows(graph, a), true, Rows(graph, gradient), false)
                : graph.Node("MatMul", SwapLastTwo(graph, a), gradient);
            context.Accumulate(1, graph.SumTo(full, b, node));
        }
    }

    private static GraphValue SwapLastTwo(GraphBuilder graph, GraphValue value)
    {
        int rank = value.Shape.Rank;
        long[] order = [.. Enumerable.Range(0, rank - 2).Select(i => (long)i), rank - 1, rank - 2];
        return graph.Node("Transpose", NodeAttributes.None.With("perm", order), value);
    }

    /// <summary>[…, k] as [rows, k].</summary>
    private static GraphValue Rows(GraphBuilder graph, GraphValue value) =>
        graph.Node("Flatten", NodeAttributes.None.With("axis", value.Shape.Rank - 1), value);
}
