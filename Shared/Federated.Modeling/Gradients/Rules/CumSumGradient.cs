using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Running sum along an axis: the gradient's running sum from the other end.</summary>
internal sealed class CumSumGradient : IGradientRule
{
    public string OperatorType => "CumSum";

    public void Backward(GradientContext context)
    {
        NodeAttributes attributes = context.Node.Attributes.With("reverse", context.Node.Attributes.IntegerOr("reverse", 0) == 0 ? 1 : 0);
        context.Accumulate(0, context.Graph.Node("CumSum", attributes, context.OutputGradient, context.Node.Input(1)));
    }
}
