using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Parts along an axis: their gradients are joined, with zeros for parts the loss does not depend on.</summary>
internal sealed class SplitGradient : IGradientRule
{
    public string OperatorType => "Split";

    public void Backward(GradientContext context)
    {
        GraphNode node = context.Node;
        GraphValue[] parts =
            [.. node.Outputs.Select((_, i) => context.Gradient(i) ?? context.Graph.ZerosLike(context.RequireOutput(i)))];
        context.Accumulate(0, parts.Length == 1
            ? parts[0]
            : context.Graph.Node("Concat", NodeAttributes.None.With("axis", node.Attributes.IntegerOr("axis", 0)), parts));
    }
}
