using Federated.Modeling.Graphs;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Shapes;

/// <summary>Operators that work element by element, with broadcasting where they have several inputs.</summary>
internal static class ElementwiseShapes
{
    public static InferredType[] Unary(GraphNode node) => [new(node.Input(0).ElementType, node.Input(0).Shape)];

    public static InferredType[] Binary(GraphNode node) => [new(SameType(node, 0, 1), Broadcast(node, node.Input(0).Shape, node.Input(1).Shape))];

    /// <summary>Max and Min: any number of inputs.</summary>
    public static InferredType[] Variadic(GraphNode node) =>
        [new(node.Inputs.Select((_, i) => SameType(node, 0, i)).Last(), node.Inputs.Select((_, i) => node.Input(i).Shape).Aggregate((a, b) => Broadcast(node, a, b)))];

    /// <summary>Pow: the exponent may have a type of its own.</summary>
    public static InferredType[] Pow(GraphNode node) => [new(node.Input(0).ElementType, Broadcast(node, node.Input(0).Shape, node.Input(1).Shape))];

    /// <summary>Clip: the bounds are single elements and may be left out.</summary>
    public static InferredType[] Clip(GraphNode node)
    {
        for (int i = 1; i <= 2; i++)
        {
            if (node.OptionalInput(i) is { } bound && (SameType(node, 0, i) != bound.ElementType || !bound.Shape.Dimensions.All(d => d.IsOne)))
            {
                throw node.Refuse($"the bound '{bound.Name}' (input {i}) has shape {bound.Shape}; one element is needed");
            }
        }

        return Unary(node);
    }

    public static InferredType[] Gelu(GraphNode node)
    {
        string approximate = node.Attributes.TextOr("approximate", "none");
        return approximate is "none" or "tanh"
            ? Unary(node)
            : throw node.Refuse($"attribute 'approximate' is '{approximate}'; 'none' and 'tanh' are supported");
    }

    /// <summary>Softmax and LogSoftmax.</summary>
    public static InferredType[] AlongAxis(GraphNode node)
    {
        _ = Axes.Normalize(node, node.Attributes.IntegerOr("axis", -1), node.Input(0).Shape.Rank);
        return Unary(node);
    }

    public static InferredType[] Comparison(GraphNode node)
    {
        _ = SameType(node, 0, 1);
        return [new(DataType.Bool, Broadcast(node, node.Input(0).Shape, node.Input(1).Shape))];
    }

    public static InferredType[] Where(GraphNode node)
    {
        TensorShape branches = Broadcast(node, node.Input(1).Shape, node.Input(2).Shape);
        return [new(SameType(node, 1, 2), Broadcast(node, node.Input(0).Shape, branches))];
    }

    public static InferredType[] Cast(GraphNode node) => [new((DataType)node.Attributes.IntegerOr("to", 0), node.Input(0).Shape)];

    public static DataType SameType(GraphNode node, int first, int second)
    {
        GraphValue a = node.Input(first);
        GraphValue b = node.Input(second);
        return a.ElementType == b.ElementType
            ? a.ElementType
            : throw node.Refuse($"inputs '{a.Name}' ({a.ElementType}) and '{b.Name}' ({b.ElementType}) have different types; cast one");
    }

    private static TensorShape Broadcast(GraphNode node, TensorShape a, TensorShape b) =>
        TensorShape.Broadcast(a, b) ?? throw node.Refuse($"shapes {a} and {b} do not broadcast");
}
