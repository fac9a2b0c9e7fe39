using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Y = A · B over the last two dimensions, the leading ones broadcast. dA = dY · Bᵀ and dB = Aᵀ · dY, summed to the operands' shapes.
/// Matrices use Gemm, which transposes without a copy; a matrix B under a batch of A is one product over all rows. A vector A counts as a row,
/// a vector B as a column.
/// </summary>
internal sealed class MatMulGradient : IGradientRule
{
    public string OperatorType => "MatMul";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        GraphNode node = context.Node;
        (GraphValue a, GraphValue b, GraphValue gradient) = AsMatrices(context);
        bool matrices = a.Shape.Rank == 2 && b.Shape.Rank == 2;
        bool rowsOfOneMatrix = b.Shape.Rank == 2 && a.Shape.Rank > 2;
        if (context.Needs(0))
        {
            GraphValue full = matrices
                ? graph.Product(gradient, false, b, true)
                : graph.Node("MatMul", gradient, graph.SwapLastTwo(b));
            context.Accumulate(0, graph.ReshapeTo(graph.SumTo(full, a, node), node.Input(0)));
        }

        if (context.Needs(1))
        {
            GraphValue full = matrices ? graph.Product(a, true, gradient, false)
                : rowsOfOneMatrix ? graph.Product(Rows(graph, a), true, Rows(graph, gradient), false)
                : graph.Node("MatMul", graph.SwapLastTwo(a), gradient);
            context.Accumulate(1, graph.ReshapeTo(graph.SumTo(full, b, node), node.Input(1)));
        }
    }

    /// <summary>The operands and the gradient as if no operand were a vector.</summary>
    private static (GraphValue A, GraphValue B, GraphValue Gradient) AsMatrices(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        GraphValue a = context.Node.Input(0);
        GraphValue b = context.Node.Input(1);
        GraphValue gradient = context.OutputGradient;
        if (b.Shape.Rank == 1)
        {
            b = graph.Node("Unsqueeze", b, graph.Int64Vector(1));
            gradient = graph.Node("Unsqueeze", gradient, graph.Int64Vector(gradient.Shape.Rank));
        }

        if (a.Shape.Rank == 1)
        {
            a = graph.Node("Unsqueeze", a, graph.Int64Vector(0));
            gradient = graph.Node("Unsqueeze", gradient, graph.Int64Vector(gradient.Shape.Rank - 1));
        }

        return (a, b, gradient);
    }

    /// <summary>[…, k] as [rows, k].</summary>
    private static GraphValue Rows(GraphBuilder graph, GraphValue value) =>
        graph.Node("Flatten", NodeAttributes.None.With("axis", value.Shape.Rank - 1), value);
}
