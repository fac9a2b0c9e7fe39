using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Imports;

/// <summary>Turns weights of a file into inputs, so that they are trained as a whole.</summary>
internal static class TrainableWeights
{
    /// <summary>Names that a refusal lists; a model may have thousands.</summary>
    private const int MostNamed = 8;

    /// <summary>Which inputs of an operator are weights that training may change; statistics, bounds and shapes are not.</summary>
    private static readonly Dictionary<string, int[]> WeightInputs = new(StringComparer.Ordinal)
    {
        ["Add"] = [0, 1],
        ["BatchNormalization"] = [1, 2],
        ["BiasGelu"] = [1],
        ["Conv"] = [1, 2],
        ["ConvTranspose"] = [1, 2],
        ["Div"] = [0, 1],
        ["FastGelu"] = [1],
        ["FusedMatMul"] = [0, 1],
        ["GRU"] = [1, 2, 3],
        ["Gather"] = [0],
        ["Gemm"] = [1, 2],
        ["GroupNormalization"] = [1, 2],
        ["InstanceNormalization"] = [1, 2],
        ["LSTM"] = [1, 2, 3],
        ["LayerNormalization"] = [1, 2],
        ["MatMul"] = [0, 1],
        ["Mul"] = [0, 1],
        ["PRelu"] = [1],
        ["RMSNormalization"] = [1],
        ["RNN"] = [1, 2, 3],
        ["SimplifiedLayerNormalization"] = [1],
        ["SkipLayerNormalization"] = [2, 3, 4],
        ["SkipSimplifiedLayerNormalization"] = [2, 3],
        ["Sub"] = [0, 1],
    };

    /// <summary>Inputs that a training elsewhere has counted; nobody expects these to be trained.</summary>
    private static readonly Dictionary<string, int[]> StatisticsInputs = new(StringComparer.Ordinal) { ["BatchNormalization"] = [3, 4] };

    // A single number that is added or multiplied belongs to a formula; as the input of a layer it is a weight as any other.
    private static readonly string[] s_formulas = ["Add", "Div", "Mul", "Sub"];

    /// <summary>Moves the chosen float32 initializers to the inputs.</summary>
    /// <returns>
    /// Their contents in the file's order, and the names of the float32 tensors that the expression finds and that are no such weights: those that some other
    /// operator takes. Single numbers and statistics are not among them.
    /// </returns>
    /// <exception cref="ArgumentException">The expression is not one, or chooses nothing.</exception>
    public static (IReadOnlyList<TensorProto> Chosen, IReadOnlyList<string> LeftOut) Choose(GraphProto graph, string? trainable)
    {
        if (trainable is null)
        {
            return ([], []);
        }

        Regex names = WeightNames.Expression(trainable);
        Dictionary<string, string> sources = Sources(graph);
        HashSet<string> weights = [.. graph.Node.SelectMany(n => Taken(n, WeightInputs, sources))];
        HashSet<string> ofLayers = [.. graph.Node.Where(n => !s_formulas.Contains(n.OpType)).SelectMany(n => Taken(n, WeightInputs, sources))];
        HashSet<string> statistics = [.. graph.Node.SelectMany(n => Taken(n, StatisticsInputs, sources))];
        List<TensorProto> candidates = [.. graph.Initializer.Where(
            t => weights.Contains(t.Name) && t.DataType == (int)DataType.Float && t.Dims.Count > 0 && (Elements(t) > 1 || ofLayers.Contains(t.Name)))];
        List<TensorProto> chosen = [.. candidates.Where(t => names.IsMatch(t.Name))];
        if (chosen.Count == 0)
        {
            throw WeightNames.FindsNothing(trainable, candidates.Select(t => t.Name));
        }

        List<string> leftOut =
        [
            .. graph.Initializer.Where(t => t.DataType == (int)DataType.Float && Elements(t) > 1 && !weights.Contains(t.Name) && !statistics.Contains(t.Name))
                .Select(t => t.Name).Where(name => names.IsMatch(name)),
        ];

        foreach (TensorProto tensor in chosen)
        {
            _ = graph.Initializer.Remove(tensor);
            TensorShapeProto shape = new();
            shape.Dim.AddRange(tensor.Dims.Select(d => new TensorShapeProto.Types.Dimension { DimValue = d }));
            graph.Input.Add(new ValueInfoProto
            {
                Name = tensor.Name,
                Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float, Shape = shape } },
            });
        }

        return (chosen, leftOut);
    }

    /// <summary>
    /// Refuses weights and statistics of layers that are not finite, whether they are trained or not. Numbers that are only added or multiplied pass: masks hold
    /// infinities.
    /// </summary>
    /// <exception cref="OnnxFormatException">A weight is not finite; the message names the first ones.</exception>
    public static void DemandFinite(GraphProto graph)
    {
        Dictionary<string, string> sources = Sources(graph);
        HashSet<string> ofLayers =
        [
            .. graph.Node.Where(n => !s_formulas.Contains(n.OpType)).SelectMany(n => Taken(n, WeightInputs, sources)),
            .. graph.Node.SelectMany(n => Taken(n, StatisticsInputs, sources)),
        ];
        List<string> broken = [.. graph.Initializer.Where(t => ofLayers.Contains(t.Name) && !IsFinite(t)).Select(t => t.Name)];
        if (broken.Count > 0)
        {
            throw new OnnxFormatException(
                $"{broken.Count} weights hold values that are not finite: {string.Join(", ", broken.Take(MostNamed))}. Export the model from a state whose training had not failed.");
        }
    }

    private static bool IsFinite(TensorProto tensor)
    {
        if (tensor.DataType != (int)DataType.Float)
        {
            return true;
        }

        ReadOnlySpan<float> values = tensor.HasRawData ? MemoryMarshal.Cast<byte, float>(tensor.RawData.Span) : tensor.FloatData.ToArray();
        return values.IsEmpty || float.IsFinite(TensorPrimitives.MaxMagnitude(values));
    }

    private static IEnumerable<string> Taken(NodeProto node, Dictionary<string, int[]> inputs, Dictionary<string, string> sources) =>
        (inputs.GetValueOrDefault(node.OpType) ?? []).Where(i => i < node.Input.Count).Select(i => sources.GetValueOrDefault(node.Input[i], node.Input[i]));

    /// <summary>What each Transpose or Identity passes on, by its output: the value before the first of them.</summary>
    private static Dictionary<string, string> Sources(GraphProto graph)
    {
        Dictionary<string, string> sources = new(StringComparer.Ordinal);
        foreach (NodeProto node in graph.Node.Where(n => n is { OpType: "Transpose" or "Identity", Input.Count: 1, Output.Count: 1 }))
        {
            sources[node.Output[0]] = sources.GetValueOrDefault(node.Input[0], node.Input[0]);
        }

        return sources;
    }

    /// <summary>Elements of a tensor.</summary>
    public static long Elements(TensorProto tensor) => tensor.Dims.Aggregate(1L, (product, dimension) => checked(product * dimension));
}
