using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients;

/// <summary>
/// Reverse-mode differentiation of a graph: walks the nodes backwards from the loss and lets each one's rule append the nodes
/// that compute gradients. Nodes without a trainable value behind them are passed over, so they need no rule.
/// </summary>
public static class GradientBuilder
{
    /// <summary>Appends the gradients of a scalar loss to the graph that computes it.</summary>
    /// <param name="graph">The forward graph; it grows.</param>
    /// <param name="loss">A floating-point scalar of the graph.</param>
    /// <param name="parameters">Inputs of the graph whose gradients are wanted.</param>
    /// <param name="rules">The table, or null for <see cref="GradientRules.Default"/>.</param>
    /// <returns>The gradients in the order of <paramref name="parameters"/>, each of its parameter's shape.</returns>
    /// <exception cref="OnnxFormatException">
    /// A node on the way has no rule or a form that is not supported, the loss is no scalar, or it does not depend on a parameter.
    /// </exception>
    public static IReadOnlyList<GraphValue> Append(
        GraphBuilder graph, GraphValue loss, IReadOnlyList<GraphValue> parameters, GradientRules? rules = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(parameters);
        rules ??= GradientRules.Default;
        if (loss.Shape.Rank != 0)
        {
            throw new OnnxFormatException($"The loss '{loss.Name}' has shape {loss.Shape}; gradients are taken of a scalar.");
        }

        List<GraphNode> forward = [.. graph.Nodes];
        HashSet<GraphValue> needed = BehindWhich(forward, parameters);
        GradientAccumulator gradients = new(graph, needed);
        gradients.Add(loss, graph.Scalar(loss.ElementType, 1));
        for (int i = forward.Count - 1; i >= 0; i--)
        {
            GraphNode node = forward[i];
            bool onTheWay = node.Outputs.Any(o => o is not null && needed.Contains(o) && gradients.Find(o) is not null);
            if (onTheWay)
            {
                rules.For(node).Backward(new GradientContext(graph, node, gradients));
            }
        }

        return
        [
            .. parameters.Select(p => gradients.Find(p)
                ?? throw new OnnxFormatException($"The loss '{loss.Name}' does not depend on the parameter '{p.Name}'. Freeze it.")),
        ];
    }

    /// <summary>The parameters and every value computed from one.</summary>
    private static HashSet<GraphValue> BehindWhich(IEnumerable<GraphNode> forward, IEnumerable<GraphValue> parameters)
    {
        HashSet<GraphValue> needed = [.. parameters];
        foreach (GraphNode node in forward)
        {
            if (node.Inputs.Any(i => i is not null && needed.Contains(i)))
            {
                needed.UnionWith(node.Outputs.OfType<GraphValue>());
            }
        }

        return needed;
    }
}
