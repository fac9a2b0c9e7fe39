using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Elements by index along an axis: each one's gradient is added where the element was taken from.</summary>
internal sealed class GatherElementsGradient : IGradientRule
{
    public string OperatorType => "GatherElements";

    public void Backward(GradientContext context)
    {
        GraphNode node = context.Node;
        NodeAttributes attributes = NodeAttributes.None.With("axis", node.Attributes.IntegerOr("axis", 0)).With("reduction", "add");
        GraphValue zeros = context.Graph.ZerosLike(node.Input(0));
        context.Accumulate(0, context.Graph.Node("ScatterElements", attributes, zeros, node.Input(1), context.OutputGradient));
    }
}
