using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Y = alpha · A' · B' + beta · C, where a prime is a transposition if the attribute asks for it. dA' = alpha · dY · B'ᵀ and
/// dB' = alpha · A'ᵀ · dY, each written as one Gemm that transposes on the way; dC = beta · dY summed to C's shape.
/// </summary>
internal sealed class GemmGradient : IGradientRule
{
    public string OperatorType => "Gemm";

    public void Backward(GradientContext context)
    {
        GraphNode node = context.Node;
        GraphValue gradient = context.OutputGradient;
        bool transA = node.Attributes.IntegerOr("transA", 0) != 0;
        bool transB = node.Attributes.IntegerOr("transB", 0) != 0;
        float alpha = node.Attributes.NumberOr("alpha", 1);
        GraphValue a = node.Input(0);
        GraphValue b = node.Input(1);
        if (context.Needs(0))
        {
            context.Accumulate(0, transA
                ? context.Graph.Product(b, transB, gradient, true, alpha)
                : context.Graph.Product(gradient, false, b, !transB, alpha));
        }

        if (context.Needs(1))
        {
            context.Accumulate(1, transB
                ? context.Graph.Product(gradient, true, a, transA, alpha)
                : context.Graph.Product(a, !transA, gradient, false, alpha));
        }

        if (context.Needs(2))
        {
            GraphValue sum = context.Graph.SumTo(gradient, node.Input(2), node);
            float beta = node.Attributes.NumberOr("beta", 1);
            context.Accumulate(2, beta == 1 ? sum : context.Graph.Node("Mul", sum, context.Graph.Scalar(sum.ElementType, beta)));
        }
    }
}

/// <summary>Matrix products as Gemm nodes.</summary>
internal static class MatrixProducts
{
    /// <summary>alpha · A' · B'.</summary>
    public static GraphValue Product(this GraphBuilder graph, GraphValue a, bool transA, GraphValue b, bool transB, float alpha = 1)
    {
        NodeAttributes attributes = NodeAttributes.None;
        attributes = transA ? attributes.With("transA", 1) : attributes;
        attributes = transB ? attributes.With("transB", 1) : attributes;
        attributes = alpha == 1 ? attributes : attributes.With("alpha", alpha);
        return graph.Node("Gemm", attributes, a, b);
    }
}
