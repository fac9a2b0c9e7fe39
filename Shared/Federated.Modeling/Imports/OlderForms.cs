using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Imports;

/// <summary>Forms that operators had before the operator set that is written.</summary>
internal static class OlderForms
{
    private const int SoftmaxByAxis = 13;

    /// <summary>Bounds were attributes before operator set 11; they are inputs now.</summary>
    public static IReadOnlyList<GraphValue?>? Clip(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        if (!node.Attributes.Has("min") && !node.Attributes.Has("max"))
        {
            return null;
        }

        GraphValue input = node.Input(0);
        GraphValue? Bound(string name) => node.Attributes.Has(name) ? graph.Scalar(input.ElementType, node.Attributes.NumberOr(name, 0)) : null;
        return graph.Append(node.Name, "Clip", NodeAttributes.None, [input, Bound("min"), Bound("max")], 1).Outputs;
    }

    /// <summary>Axes were an attribute before operator set 18 (13 for ReduceSum); they are an input now.</summary>
    public static IReadOnlyList<GraphValue?>? Reduce(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        if (node.Attributes.Integers("axes") is not { } axes)
        {
            return null;
        }

        GraphValue[] inputs = [node.Input(0), graph.Int64Vector([.. axes])];
        return graph.Append(node.Name, node.OperatorType, node.Attributes.Without("axes"), inputs, 1).Outputs;
    }

    /// <summary>
    /// Before operator set 13 Softmax and LogSoftmax normalized over all dimensions from <c>axis</c> on, by default 1: the input taken as a matrix
    /// that is split there. Now they normalize over one axis, by default the last.
    /// </summary>
    public static IReadOnlyList<GraphValue?>? Softmax(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        if (operatorSet >= SoftmaxByAxis)
        {
            return null;
        }

        GraphValue input = node.Input(0);
        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", 1), input.Shape.Rank);
        NodeAttributes last = NodeAttributes.None.With("axis", -1);
        if (axis == input.Shape.Rank - 1)
        {
            return graph.Append(node.Name, node.OperatorType, last, [input], 1).Outputs;
        }

        GraphValue matrix = graph.Node("Flatten", NodeAttributes.None.With("axis", axis), input);
        return [graph.ReshapeTo(graph.Append(node.Name, node.OperatorType, last, [matrix], 1).Outputs[0]!, input)];
    }
}
