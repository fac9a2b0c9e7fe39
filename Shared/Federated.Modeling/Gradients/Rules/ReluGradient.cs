using Federated.Modeling.Graphs;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Y = max(X, 0): the gradient passes where Y is positive. At 0 the derivative is taken as 0. sign(Y) is 1 or 0 there.</summary>
internal sealed class ReluGradient : IGradientRule
{
    public string OperatorType => "Relu";

    public void Backward(GradientContext context)
    {
        GraphValue passes = context.Graph.Node("Sign", context.RequireOutput(0));
        context.Accumulate(0, context.Graph.Node("Mul", context.OutputGradient, passes));
    }
}
