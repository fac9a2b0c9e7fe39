using System.Collections.Frozen;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Imports;

/// <summary>
/// Nodes of a file that have another form in a graph: forms of operator sets before <see cref="OnnxFile.WrittenOperatorSet"/>, and
/// operators that are formulas of others, which are written out. So inference, gradient rules and engines know one form of each operator.
/// </summary>
internal static class NodeRewrites
{
    private const string OnnxRuntime = "com.microsoft";

    /// <summary>One entry an operator. A rewrite gives a value for each output, null for those it has none for; or null when the node may stay.</summary>
    private static readonly FrozenDictionary<(string Domain, string OperatorType), Func<GraphBuilder, GraphNode, long, IReadOnlyList<GraphValue?>?>> ByOperator =
        new Dictionary<(string Domain, string OperatorType), Func<GraphBuilder, GraphNode, long, IReadOnlyList<GraphValue?>?>>
        {
            [("", "Celu")] = ActivationForms.Celu,
            [("", "Clip")] = OlderForms.Clip,
            [("", "GRU")] = RecurrentForms.Gru,
            [("", "GroupNormalization")] = FusedForms.GroupNormalization,
            [("", "InstanceNormalization")] = FusedForms.InstanceNormalization,
            [("", "LSTM")] = RecurrentForms.Lstm,
            [("", "LogSoftmax")] = OlderForms.Softmax,
            [("", "LpNormalization")] = SumForms.LpNormalization,
            [("", "Mean")] = SumForms.Mean,
            [("", "Mish")] = ActivationForms.Mish,
            [("", "PRelu")] = ActivationForms.PRelu,
            [("", "Pad")] = PadForms.Pad,
            [("", "RMSNormalization")] = FusedForms.RmsNormalization,
            [("", "RNN")] = RecurrentForms.Rnn,
            [("", "ReduceL1")] = SumForms.ReduceL1,
            [("", "ReduceL2")] = OlderForms.Reduce,
            [("", "ReduceLogSum")] = SumForms.ReduceLogSum,
            [("", "ReduceLogSumExp")] = OlderForms.Reduce,
            [("", "ReduceMax")] = OlderForms.Reduce,
            [("", "ReduceMean")] = OlderForms.Reduce,
            [("", "ReduceMin")] = OlderForms.Reduce,
            [("", "ReduceProd")] = OlderForms.Reduce,
            [("", "ReduceSum")] = OlderForms.Reduce,
            [("", "ReduceSumSquare")] = OlderForms.Reduce,
            [("", "Selu")] = ActivationForms.Selu,
            [("", "SimplifiedLayerNormalization")] = FusedForms.RmsNormalization,
            [("", "Softmax")] = OlderForms.Softmax,
            [("", "Softsign")] = ActivationForms.Softsign,
            [("", "Sum")] = SumForms.Sum,
            [(OnnxRuntime, "BiasGelu")] = FusedForms.BiasGelu,
            [(OnnxRuntime, "FastGelu")] = FusedForms.FastGelu,
            [(OnnxRuntime, "FusedMatMul")] = FusedForms.FusedMatMul,
            [(OnnxRuntime, "Gelu")] = FusedForms.BiasGelu,
            [(OnnxRuntime, "QuickGelu")] = FusedForms.QuickGelu,
            [(OnnxRuntime, "SkipLayerNormalization")] = FusedForms.SkipLayerNormalization,
            [(OnnxRuntime, "SkipSimplifiedLayerNormalization")] = FusedForms.SkipRmsNormalization,
        }.ToFrozenDictionary();

    /// <summary>Domain and name of the operators that may be rewritten, in ordinal order; the standard domain is empty.</summary>
    public static IEnumerable<(string Domain, string OperatorType)> Operators => ByOperator.Keys
        .OrderBy(k => k.Domain, StringComparer.Ordinal).ThenBy(k => k.OperatorType, StringComparer.Ordinal);

    /// <summary>Appends what stands for a node; null when the node has no other form.</summary>
    /// <param name="graph">Where nodes are appended.</param>
    /// <param name="domain">The node's domain.</param>
    /// <param name="node">The node as the file holds it, with inputs of the graph.</param>
    /// <param name="operatorSet">The file's version of the standard operators.</param>
    /// <exception cref="OnnxFormatException">The node uses an attribute that is not supported.</exception>
    public static IReadOnlyList<GraphValue?>? Apply(GraphBuilder graph, string domain, GraphNode node, long operatorSet) =>
        ByOperator.TryGetValue((domain == "ai.onnx" ? "" : domain, node.OperatorType), out Func<GraphBuilder, GraphNode, long, IReadOnlyList<GraphValue?>?>? rewrite)
            ? rewrite(graph, node, operatorSet)
            : null;
}
