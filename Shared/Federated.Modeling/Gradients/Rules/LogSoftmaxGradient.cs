using Federated.Modeling.Graphs;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Y = X − ln Σ exp X along an axis: dX = dY − exp Y · Σ dY.</summary>
internal sealed class LogSoftmaxGradient : IGradientRule
{
    public string OperatorType => "LogSoftmax";

    public void Backward(GradientContext context)
    {
        Term gradient = new(context.Graph, context.OutputGradient);
        Term y = new(context.Graph, context.RequireOutput(0));
        GraphValue axis = context.Graph.Int64Vector(context.Node.Attributes.IntegerOr("axis", -1));
        context.Accumulate(0, (gradient - (y.Apply("Exp") * gradient.Apply("ReduceSum", axis))).Value);
    }
}
