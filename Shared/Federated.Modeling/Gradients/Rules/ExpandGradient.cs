namespace Federated.Modeling.Gradients.Rules;

/// <summary>Broadcast to a shape: the gradient is summed over what was repeated.</summary>
internal sealed class ExpandGradient : IGradientRule
{
    public string OperatorType => "Expand";

    public void Backward(GradientContext context) =>
        context.Accumulate(0, context.Graph.SumTo(context.OutputGradient, context.Node.Input(0), context.Node));
}
