using Federated.Modeling.Graphs;

namespace Federated.Modeling.Costs;

/// <summary>
/// How much intermediate results take at most: each lives from the node that gives it to the last that takes it. Nodes that only rename share memory, and element by
/// element a node may write over an input that nobody takes afterwards, as ONNX Runtime does. Inputs, constants and outputs lie elsewhere.
/// </summary>
internal static class ActivationLiveness
{
    /// <summary>The peak over the nodes in the file's order.</summary>
    public static double PeakBytes(GraphBuilder graph)
    {
        IReadOnlyList<GraphNode> nodes = graph.Nodes;
        Dictionary<GraphValue, GraphValue> owners = [];
        Dictionary<GraphValue, int> lastUses = [];
        for (int i = 0; i < nodes.Count; i++)
        {
            GraphNode node = nodes[i];
            if (OperatorCost.IsView(node))
            {
                owners[node.Outputs[0]!] = Owner(owners, node.Input(0));
            }

            foreach (GraphValue input in node.Inputs.OfType<GraphValue>())
            {
                lastUses[Owner(owners, input)] = i;
            }
        }

        HashSet<GraphValue> elsewhere = [.. graph.Inputs, .. graph.Constants, .. graph.Outputs.Select(o => Owner(owners, o.Value))];
        HashSet<GraphValue> live = [];
        (double now, double peak) = (0, 0);
        for (int i = 0; i < nodes.Count; i++)
        {
            GraphNode node = nodes[i];
            List<GraphValue> ending = [.. node.Inputs.OfType<GraphValue>().Select(v => Owner(owners, v)).Distinct().Where(v => live.Contains(v) && lastUses[v] == i)];
            bool inPlace = !OperatorCost.Of(node).IsProduct && node.Outputs.Length == 1
                && ending.Any(v => v.Shape.KnownProduct == node.Outputs[0]!.Shape.KnownProduct && node.Inputs.Any(input => input is not null && Owner(owners, input) == v));
            double added = node.Outputs.OfType<GraphValue>()
                .Where(v => !OperatorCost.IsView(node) && !elsewhere.Contains(v) && lastUses.ContainsKey(v) && live.Add(v)).Sum(OperatorCost.BytesOf);
            double freed = ending.Sum(v => live.Remove(v) ? OperatorCost.BytesOf(v) : 0);
            peak = Math.Max(peak, now + (inPlace ? Math.Max(0, added - freed) : added));
            now += added - freed;
        }

        return peak;
    }

    private static GraphValue Owner(Dictionary<GraphValue, GraphValue> owners, GraphValue value) => owners.GetValueOrDefault(value, value);
}
