using Federated.Modeling.Graphs;

namespace Federated.Modeling.Lora;

/// <summary>
/// The name of a layer as people know it. Exporters name the weight after the module, or, when they have rearranged it, only the node after the
/// module's path: <c>encoder.0.query.weight</c>, or <c>/encoder/0/query/MatMul</c> with a weight <c>onnx::MatMul_123</c>. Older ones have neither, and only the
/// bias that is added next still says <c>encoder.0.query.bias</c>.
/// </summary>
internal static class LayerNames
{
    private const string WeightSuffix = ".weight";
    private const string BiasSuffix = ".bias";

    /// <summary>The weight's name without its suffix; where the exporter made that name up, the bias's without its own, else the node's path.</summary>
    /// <param name="node">The layer's node.</param>
    /// <param name="weight">Its weight.</param>
    /// <param name="bias">What is added to its product; null for nothing, or for more than one value.</param>
    public static string Of(GraphNode node, GraphValue weight, GraphValue? bias)
    {
        if (Without(weight.Name, WeightSuffix) is { } module)
        {
            return module;
        }

        bool madeUp = weight.Name.Contains("::", StringComparison.Ordinal) || weight.Name.All(char.IsAsciiDigit) || weight.Constant is null;
        return !madeUp ? weight.Name
            : bias?.Constant is null ? OfPath(node)
            : Without(bias.Name, BiasSuffix) ?? OfPath(node);
    }

    private static string? Without(string name, string suffix) =>
        name.EndsWith(suffix, StringComparison.Ordinal) && name.Length > suffix.Length ? name[..^suffix.Length] : null;

    private static string OfPath(GraphNode node)
    {
        string[] path = node.Name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        bool endsWithOperator = path.Length > 1 && path[^1].StartsWith(node.OperatorType, StringComparison.Ordinal);
        return string.Join('.', endsWithOperator ? path[..^1] : path);
    }
}
