using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Imports;

/// <summary>Activations of the standard that are formulas of others, written out.</summary>
internal static class ActivationForms
{
    /// <summary>alpha · Elu(X / alpha) (Barron 2017, arXiv 1704.07483).</summary>
    public static IReadOnlyList<GraphValue?> Celu(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        double alpha = node.Attributes.NumberOr("alpha", 1);
        return [((X(graph, node) / alpha).Apply("Elu") * alpha).Value];
    }

    /// <summary>X · tanh(ln(1 + exp X)) (Misra 2019, arXiv 1908.08681).</summary>
    public static IReadOnlyList<GraphValue?> Mish(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        Term x = X(graph, node);
        return [(x * x.Apply("Softplus").Apply("Tanh")).Value];
    }

    /// <summary>X above 0, slope · X below; the slope broadcasts to X and may be trainable.</summary>
    public static IReadOnlyList<GraphValue?> PRelu(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        Term x = X(graph, node);
        return [(x.Apply("Relu") - (new Term(graph, node.Input(1)) * (-x).Apply("Relu"))).Value];
    }

    /// <summary>gamma · Elu(X) with the constants of Klambauer et al. 2017 (arXiv 1706.02515, equation 2).</summary>
    public static IReadOnlyList<GraphValue?> Selu(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        NodeAttributes alpha = NodeAttributes.None.With("alpha", node.Attributes.NumberOr("alpha", 1.67326319217681884765625f));
        return [(X(graph, node).Apply("Elu", alpha) * node.Attributes.NumberOr("gamma", 1.05070102214813232421875f)).Value];
    }

    /// <summary>X / (1 + |X|).</summary>
    public static IReadOnlyList<GraphValue?> Softsign(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        Term x = X(graph, node);
        return [(x / (x.Apply("Abs") + 1)).Value];
    }

    private static Term X(GraphBuilder graph, GraphNode node) => new(graph, node.Input(0));
}
