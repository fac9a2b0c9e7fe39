using System.Text.RegularExpressions;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Lora;

/// <summary>
/// Adds low-rank changes to frozen layers (Hu et al. 2021, arXiv 2106.09685, section 4.1): y = W·x + (α/r)·B·A·x. A convolution's A is a
/// convolution of the same kernel, strides and pads to r channels, its B one of 1×1 back. B is zero at first, so the model starts as it was.
/// </summary>
public static class LoraInjection
{
    /// <summary>Highest rank that is taken.</summary>
    public const int MaxRank = 1024;

    /// <summary>The layers that a settings' expression chooses; a layer is searched by its name, its node's name and its weight's name.</summary>
    /// <exception cref="ArgumentException">The settings are out of range, or the expression is not one.</exception>
    public static (IReadOnlyList<LoraTarget> Targets, IReadOnlyList<SkippedTarget> Skipped) Choose(GraphBuilder graph, PackageLora settings)
    {
        Regex targets = Check(settings);
        (IReadOnlyList<LoraTarget> all, IReadOnlyList<SkippedTarget> skipped) = LoraTargets.Of(graph);
        return (
            [.. all.Where(t => targets.IsMatch(t.Layer) || targets.IsMatch(t.Node.Name) || targets.IsMatch(t.Weight.Name))],
            [.. skipped.Where(s => targets.IsMatch(s.Layer) || targets.IsMatch(s.Node))]);
    }

    /// <summary>Adapts the layers that the settings choose and gives the factors in the graph's order, A before B.</summary>
    /// <exception cref="ArgumentException">The settings are out of range, or choose no layer.</exception>
    public static IReadOnlyList<TrainableTensor> Apply(GraphBuilder graph, PackageLora settings)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(settings);
        Dictionary<string, Factors> byLayer = new(StringComparer.Ordinal);
        foreach ((LoraTarget target, string layer) in Layers(graph, settings))
        {
            if (!byLayer.TryGetValue(layer, out Factors? factors))
            {
                byLayer.Add(layer, factors = Factors.Make(graph, target, layer, settings));
            }

            graph.Replace(target.Node, () => [Adapted(graph, target.Node, factors, settings)]);
        }

        return [.. byLayer.Values.SelectMany(f => new[] { f.A, f.B })];
    }

    /// <summary>
    /// The chosen nodes and the layer each belongs to, in the graph's order. Nodes of one weight are one layer; layers of the same name get
    /// <c>#2</c> and so on.
    /// </summary>
    /// <exception cref="ArgumentException">The settings are out of range, or choose no layer.</exception>
    internal static IReadOnlyList<(LoraTarget Target, string Layer)> Layers(GraphBuilder graph, PackageLora settings)
    {
        (IReadOnlyList<LoraTarget> targets, IReadOnlyList<SkippedTarget> skipped) = Choose(graph, settings);
        if (targets.Count == 0)
        {
            string reasons = string.Concat(skipped.Take(10).Select(s => $"{Environment.NewLine}{s.Node} ({s.Operator}): {s.Reason}."));
            string[] known = [.. LoraTargets.Of(graph).Targets.Select(t => t.Layer).Distinct().Take(40)];
            string layers = known.Length == 0 ? "The model has no layer that can: none is a MatMul, Gemm or Conv with a constant weight." : $"Layers are {string.Join(", ", known)}.";
            throw new ArgumentException(
                $"lora.targets is '{settings.Targets}', which matches no layer that can be adapted. {layers}{reasons}", nameof(settings));
        }

        Dictionary<GraphValue, string> names = [];
        Dictionary<string, int> uses = new(StringComparer.Ordinal);
        foreach (LoraTarget target in targets.Where(t => !names.ContainsKey(t.Weight)))
        {
            int use = uses[target.Layer] = uses.GetValueOrDefault(target.Layer) + 1;
            names.Add(target.Weight, use == 1 ? target.Layer : $"{target.Layer}#{use}");
        }

        return [.. targets.Select(t => (t, names[t.Weight]))];
    }

    /// <summary>Name of a layer's A.</summary>
    internal static string NameOfA(string layer) => $"{layer}.lora_A.weight";

    /// <summary>Name of a layer's B.</summary>
    internal static string NameOfB(string layer) => $"{layer}.lora_B.weight";

    private static Regex Check(PackageLora settings)
    {
        if (settings.Rank is < 1 or > MaxRank || !double.IsFinite(settings.Alpha) || settings.Alpha <= 0)
        {
            throw new ArgumentException(
                $"lora.rank is {settings.Rank} and lora.alpha {settings.Alpha}; allowed are a rank of 1 to {MaxRank} and an alpha above 0.", nameof(settings));
        }

        try
        {
            return new Regex(settings.Targets, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new ArgumentException($"lora.targets is '{settings.Targets}', which is no regular expression: {e.Message}", nameof(settings), e);
        }
    }

    private static GraphValue Adapted(GraphBuilder graph, GraphNode node, Factors factors, PackageLora settings)
    {
        GraphValue output = graph.Append($"{node.Name}/base", node.OperatorType, node.Attributes, node.Inputs, 1).Outputs[0]!;
        GraphValue x = node.Input(0);
        (GraphValue a, GraphValue b) = (factors.A.Value, factors.B.Value);
        float scale = (float)(settings.Alpha / settings.Rank);
        GraphValue change;
        if (node.OperatorType == "Conv")
        {
            // A takes the kernel's shape from itself; what the attribute says of it is the same.
            change = graph.Node("Conv", NodeAttributes.None, Scaled(graph, graph.Node("Conv", node.Attributes, x, a), scale), b);
        }
        else if (x.Shape.Rank == 2)
        {
            NodeAttributes byRows = NodeAttributes.None.With("transB", 1);
            GraphValue inner = graph.Node("Gemm", scale == 1 ? byRows : byRows.With("alpha", scale), x, a);
            change = graph.Node("Gemm", byRows, inner, b);
        }
        else
        {
            NodeAttributes swap = NodeAttributes.None.With("perm", [1, 0]);
            GraphValue inner = graph.Node("MatMul", x, graph.Node("Transpose", swap, a));
            change = graph.Node("MatMul", Scaled(graph, inner, scale), graph.Node("Transpose", swap, b));
        }

        return graph.Node("Add", output, change);
    }

    private static GraphValue Scaled(GraphBuilder graph, GraphValue value, float scale) =>
        scale == 1 ? value : graph.Node("Mul", value, graph.Scalar(DataType.Float, scale));

    private sealed record Factors(TrainableTensor A, TrainableTensor B)
    {
        public static Factors Make(GraphBuilder graph, LoraTarget target, string layer, PackageLora settings)
        {
            int rank = settings.Rank;
            double scale = settings.Alpha / rank;
            GraphValue a = graph.Input(NameOfA(layer), DataType.Float, TensorShape.OfSizes(target.ShapeOfA(rank)));
            GraphValue b = graph.Input(NameOfB(layer), DataType.Float, TensorShape.OfSizes(target.ShapeOfB(rank)));
            return new Factors(
                new TrainableTensor(a, Initialization.Kaiming, target.Inputs, rank) { Lora = new LoraFactor(layer, LoraMatrix.A, rank, scale) },
                new TrainableTensor(b, Initialization.Zero, rank, target.Outputs) { Lora = new LoraFactor(layer, LoraMatrix.B, rank, scale) });
        }
    }
}
