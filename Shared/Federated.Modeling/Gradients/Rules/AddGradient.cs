namespace Federated.Modeling.Gradients.Rules;

/// <summary>C = A + B with broadcasting: each operand gets the gradient, summed to its shape.</summary>
internal sealed class AddGradient : IGradientRule
{
    public string OperatorType => "Add";

    public void Backward(GradientContext context)
    {
        for (int i = 0; i < 2; i++)
        {
            if (context.Needs(i))
            {
                context.Accumulate(i, context.Graph.SumTo(context.OutputGradient, context.Node.Input(i), context.Node));
            }
        }
    }
}
