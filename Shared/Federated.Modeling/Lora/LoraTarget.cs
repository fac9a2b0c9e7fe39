using Federated.Modeling.Graphs;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Lora;

/// <summary>A layer that can have a low-rank change: a node and its constant weight.</summary>
/// <param name="Node">MatMul, Gemm or Conv.</param>
/// <param name="Layer">The layer's name for people and for the factors.</param>
/// <param name="Weight">The constant, behind any Identity or Transpose.</param>
/// <param name="OutputsFirst">Whether the constant is stored [outputs, inputs…] rather than [inputs, outputs].</param>
public sealed record LoraTarget(GraphNode Node, string Layer, GraphValue Weight, bool OutputsFirst)
{
    /// <summary>m: outputs of the layer.</summary>
    public int Outputs => (int)Weight.Shape[OutputsFirst ? 0 : 1].Size;

    /// <summary>n: inputs that one output sums over, all places of a kernel included.</summary>
    public int Inputs => (int)(Weight.Shape.KnownProduct / Outputs);

    /// <summary>Shape of A: [r, n], or [r, channels, kernel…].</summary>
    public long[] ShapeOfA(int rank) => Node.OperatorType == "Conv" ? [rank, .. Weight.Shape.Dimensions.Skip(1).Select(d => d.Size)] : [rank, Inputs];

    /// <summary>Shape of B: [m, r], or [m, r, 1…].</summary>
    public long[] ShapeOfB(int rank) => Node.OperatorType == "Conv" ? [Outputs, rank, .. Weight.Shape.Dimensions.Skip(2).Select(_ => 1L)] : [Outputs, rank];
}

/// <summary>A node that is not adapted although its name was asked for.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Operator">Its operator.</param>
/// <param name="Layer">The layer's name.</param>
/// <param name="Reason">Why not.</param>
public sealed record SkippedTarget(string Node, string Operator, string Layer, string Reason);

/// <summary>Finds the layers of a graph that can be adapted.</summary>
public static class LoraTargets
{
    /// <summary>Every MatMul, Gemm and Conv: what can be adapted and what cannot, in the graph's order.</summary>
    public static (IReadOnlyList<LoraTarget> Targets, IReadOnlyList<SkippedTarget> Skipped) Of(GraphBuilder graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        Dictionary<GraphValue, GraphNode> makers = [];
        foreach (GraphNode node in graph.Nodes)
        {
            foreach (GraphValue output in node.Outputs.OfType<GraphValue>())
            {
                makers[output] = node;
            }
        }

        ILookup<GraphValue, GraphNode> users = graph.Nodes
            .SelectMany(n => n.Inputs.OfType<GraphValue>().Distinct().Select(i => (Value: i, Node: n))).ToLookup(u => u.Value, u => u.Node);
        List<LoraTarget> targets = [];
        List<SkippedTarget> skipped = [];
        foreach (GraphNode node in graph.Nodes.Where(n => n.OperatorType is "MatMul" or "Gemm" or "Conv"))
        {
            (GraphValue weight, bool transposed) = Behind(node.Input(1), makers);
            string layer = LayerNames.Of(node, weight, BiasOf(node, users));
            if ((Obstacle(node, weight) ?? OtherUse(weight, users)) is { } reason)
            {
                skipped.Add(new SkippedTarget(node.Name, node.OperatorType, layer, reason));
                continue;
            }

            bool outputsFirst = node.OperatorType == "Conv" || (transposed != (node.Attributes.IntegerOr("transB", 0) != 0));
            targets.Add(new LoraTarget(node, layer, weight, outputsFirst));
        }

        return (targets, skipped);
    }

    /// <summary>The bias among a node's inputs, or what the only node behind it adds.</summary>
    private static GraphValue? BiasOf(GraphNode node, ILookup<GraphValue, GraphNode> users)
    {
        if (node.OptionalInput(2) is { } bias)
        {
            return bias;
        }

        GraphValue product = node.Outputs[0]!;
        List<GraphNode> next = [.. users[product].Take(2)];
        return next is [{ OperatorType: "Add" } add] ? add.Input(add.Input(0) == product ? 1 : 0) : null;
    }

    /// <summary>The value behind nodes that only pass a matrix on.</summary>
    private static (GraphValue Value, bool Transposed) Behind(GraphValue value, Dictionary<GraphValue, GraphNode> makers)
    {
        bool transposed = false;
        while (value.Constant is null && makers.TryGetValue(value, out GraphNode? maker))
        {
            if (maker.OperatorType == "Transpose" && maker.Input(0).Shape.Rank == 2)
            {
                transposed ^= maker.Attributes.Integers("perm") is null or [1, 0];
            }
            else if (maker.OperatorType != "Identity")
            {
                break;
            }

            value = maker.Input(0);
        }

        return (value, transposed);
    }

    /// <summary>A weight that is an embedding too, for one: adding a change to it, as a merge does, would change more than the layer.</summary>
    private static string? OtherUse(GraphValue weight, ILookup<GraphValue, GraphNode> users) =>
        users[weight].FirstOrDefault(user => user.OperatorType is not ("MatMul" or "Gemm" or "Conv" or "Transpose" or "Identity")) is { } other
            ? $"its weight is that of '{other.Name}' ({other.OperatorType}) too, which a merged change would alter"
            : null;

    private static string? Obstacle(GraphNode node, GraphValue weight)
    {
        if (weight.Constant is null || weight.ElementType != DataType.Float)
        {
            return "its second input is no constant float32 weight";
        }

        if (node.OperatorType == "Conv")
        {
            long group = node.Attributes.IntegerOr("group", 1);
            return group == 1 ? null : $"it has {group} groups; low-rank changes are supported for 1";
        }

        if (weight.Shape.Rank != 2)
        {
            return $"its weight has shape {weight.Shape}; a matrix is supported";
        }

        bool plain = node.OperatorType == "MatMul"
            || (node.Attributes.IntegerOr("transA", 0) == 0 && node.Attributes.NumberOr("alpha", 1) == 1);
        return plain ? null : "its attributes transA and alpha are not 0 and 1";
    }
}
