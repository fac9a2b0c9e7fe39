using System.Text.RegularExpressions;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Imports;

/// <summary>Turns weights of a file into inputs, so that they are trained as a whole.</summary>
internal static class TrainableWeights
{
    /// <summary>Which inputs of an operator are weights that training may change; statistics, bounds and shapes are not.</summary>
    private static readonly Dictionary<string, int[]> WeightInputs = new(StringComparer.Ordinal)
    {
        ["Add"] = [0, 1],
        ["BatchNormalization"] = [1, 2],
        ["Conv"] = [1, 2],
        ["ConvTranspose"] = [1, 2],
        ["Div"] = [0, 1],
        ["Gather"] = [0],
        ["Gemm"] = [1, 2],
        ["GroupNormalization"] = [1, 2],
        ["InstanceNormalization"] = [1, 2],
        ["LayerNormalization"] = [1, 2],
        ["MatMul"] = [0, 1],
        ["Mul"] = [0, 1],
        ["PRelu"] = [1],
        ["RMSNormalization"] = [1],
        ["SimplifiedLayerNormalization"] = [1],
        ["Sub"] = [0, 1],
    };

    // A single number that is added or multiplied belongs to a formula; as the input of a layer it is a weight as any other.
    private static readonly string[] s_formulas = ["Add", "Div", "Mul", "Sub"];

    /// <summary>Moves the chosen float32 initializers to the inputs.</summary>
    /// <returns>Their contents in the file's order.</returns>
    /// <exception cref="ArgumentException">The expression is not one, or chooses nothing.</exception>
    public static IReadOnlyList<TensorProto> Choose(GraphProto graph, string? trainable)
    {
        if (trainable is null)
        {
            return [];
        }

        Regex names = WeightNames.Expression(trainable);
        HashSet<string> weights = [.. graph.Node.SelectMany(WeightsOf)];
        HashSet<string> ofLayers = [.. graph.Node.Where(n => !s_formulas.Contains(n.OpType)).SelectMany(WeightsOf)];
        List<TensorProto> candidates = [.. graph.Initializer.Where(
            t => weights.Contains(t.Name) && t.DataType == (int)DataType.Float && t.Dims.Count > 0 && (Elements(t) > 1 || ofLayers.Contains(t.Name)))];
        List<TensorProto> chosen = [.. candidates.Where(t => names.IsMatch(t.Name))];
        if (chosen.Count == 0)
        {
            throw WeightNames.FindsNothing(trainable, candidates.Select(t => t.Name));
        }

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

        return chosen;
    }

    private static IEnumerable<string> WeightsOf(NodeProto node) => (WeightInputs.GetValueOrDefault(node.OpType) ?? []).Where(i => i < node.Input.Count).Select(i => node.Input[i]);

    /// <summary>Elements of a tensor.</summary>
    public static long Elements(TensorProto tensor) => tensor.Dims.Aggregate(1L, (product, dimension) => checked(product * dimension));
}
