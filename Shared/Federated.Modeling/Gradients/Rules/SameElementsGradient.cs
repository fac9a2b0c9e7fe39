namespace Federated.Modeling.Gradients.Rules;

/// <summary>Operators that give the same elements in another shape: the gradient takes the input's shape again.</summary>
/// <param name="operatorType">Flatten, Reshape, Squeeze or Unsqueeze; Identity, or Dropout switched off, where the shape stays too.</param>
internal sealed class SameElementsGradient(string operatorType) : IGradientRule
{
    public string OperatorType => operatorType;

    public void Backward(GradientContext context) =>
        context.Accumulate(0, context.Graph.ReshapeTo(context.OutputGradient, context.Node.Input(0)));
}
