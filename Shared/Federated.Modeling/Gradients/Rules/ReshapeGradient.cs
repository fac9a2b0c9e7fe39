namespace Federated.Modeling.Gradients.Rules;

/// <summary>Reshape: the gradient takes the input's shape again.</summary>
internal sealed class ReshapeGradient : IGradientRule
{
    public string OperatorType => "Reshape";

    public void Backward(GradientContext context) =>
        context.Accumulate(0, context.Graph.ReshapeTo(context.OutputGradient, context.Node.Input(0)));
}
