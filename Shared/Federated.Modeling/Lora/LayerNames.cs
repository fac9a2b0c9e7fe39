using Federated.Modeling.Graphs;

namespace Federated.Modeling.Lora;

/// <summary>
/// The name of a layer as people know it. Exporters name the weight after the module, or, when they have rearranged it, only the node after the
/// module's path: <c>encoder.0.query.weight</c>, or <c>/encoder/0/query/MatMul</c> with a weight <c>onnx::MatMul_123</c>.
/// </summary>
internal static class LayerNames
{
    private const string WeightSuffix = ".weight";

    /// <summary>The weight's name without its suffix; the node's path when the weight's name was made up by the exporter.</summary>
    public static string Of(GraphNode node, GraphValue weight)
    {
        string name = weight.Name;
        if (name.EndsWith(WeightSuffix, StringComparison.Ordinal) && name.Length > WeightSuffix.Length)
        {
            return name[..^WeightSuffix.Length];
        }

        bool madeUp = name.Contains("::", StringComparison.Ordinal) || name.All(char.IsAsciiDigit) || weight.Constant is null;
        return madeUp ? OfPath(node) : name;
    }

    private static string OfPath(GraphNode node)
    {
        string[] path = node.Name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        bool endsWithOperator = path.Length > 1 && path[^1].StartsWith(node.OperatorType, StringComparison.Ordinal);
        return string.Join('.', endsWithOperator ? path[..^1] : path);
    }
}
