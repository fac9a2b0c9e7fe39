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
    /// Nodes on the way have no rule or a form that is not supported (the message names them all), the loss is no scalar, or it does not depend on
    /// a parameter.
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
        List<string> refusals = [];
        for (int i = forward.Count - 1; i >= 0; i--)
        {
            GraphNode node = forward[i];
            bool onTheWay = node.Outputs.Any(o => o is not null && needed.Contains(o) && gradients.Find(o) is not null);
            if (onTheWay)
            {
                Backward(graph, node, rules, gradients, refusals);
            }
        }

        if (refusals.Count > 0)
        {
            throw new OnnxFormatException(string.Join(Environment.NewLine, refusals.Order(StringComparer.Ordinal)));
        }

        return
        [
            .. parameters.Select(p => gradients.Find(p)
                ?? throw new OnnxFormatException($"The loss '{loss.Name}' does not depend on the parameter '{p.Name}'. Freeze it.")),
        ];
    }

    /// <summary>
    /// Runs a node's rule. Of a node that is refused, the reason is kept and what lies before it is looked at as if its gradients were known, so
    /// that a person learns of every obstacle at once.
    /// </summary>
    private static void Backward(GraphBuilder graph, GraphNode node, GradientRules rules, GradientAccumulator gradients, List<string> refusals)
    {
        GradientContext context = new(graph, node, gradients);
        try
        {
            rules.For(node).Backward(context);
        }
        catch (OnnxFormatException e)
        {
            refusals.Add(e.Message);
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                if (context.Needs(i) && gradients.Find(node.Inputs[i]!) is null)
                {
                    gradients.Add(node.Inputs[i]!, node.Inputs[i]!);
                }
            }
        }
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
