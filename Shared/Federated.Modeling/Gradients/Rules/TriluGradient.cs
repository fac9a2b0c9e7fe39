namespace Federated.Modeling.Gradients.Rules;

/// <summary>A triangle of each matrix: the same triangle of the gradient.</summary>
internal sealed class TriluGradient : IGradientRule
{
    public string OperatorType => "Trilu";

    public void Backward(GradientContext context) =>
        context.Accumulate(0, context.Graph.Node("Trilu", context.Node.Attributes, [context.OutputGradient, .. context.Node.Inputs[1..]]));
}
