namespace Federated.Modeling.Gradients.Rules;

/// <summary>Flatten: the gradient takes the input's shape again.</summary>
internal sealed class FlattenGradient : IGradientRule
{
    public string OperatorType => "Flatten";

    public void Backward(GradientContext context) =>
        context.Accumulate(0, context.Graph.ReshapeTo(context.OutputGradient, context.Node.Input(0)));
}
