using Federated.Modeling.Graphs;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Y = exp X / Σ exp X along an axis: dX = Y · (dY − Σ dY · Y).</summary>
internal sealed class SoftmaxGradient : IGradientRule
{
    public string OperatorType => "Softmax";

    public void Backward(GradientContext context)
    {
        Term gradient = new(context.Graph, context.OutputGradient);
        Term y = new(context.Graph, context.RequireOutput(0));
        GraphValue axis = context.Graph.Int64Vector(context.Node.Attributes.IntegerOr("axis", -1));
        context.Accumulate(0, (y * (gradient - (gradient * y).Apply("ReduceSum", axis))).Value);
    }
}
