using Federated.Modeling.Graphs;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Y = min(max(X, low), high): the gradient passes where X was left as it is, bounds included. The bounds themselves get none.</summary>
internal sealed class ClipGradient : IGradientRule
{
    public string OperatorType => "Clip";

    public void Backward(GradientContext context)
    {
        for (int i = 1; i <= 2; i++)
        {
            if (context.Needs(i))
            {
                throw context.Node.Refuse($"a trainable value lies behind the bound '{context.Node.Input(i).Name}' (input {i}); gradients pass through input 0 only");
            }
        }

        Term x = new(context.Graph, context.Node.Input(0));
        Term y = new(context.Graph, context.RequireOutput(0));
        context.Accumulate(0, new Term(context.Graph, context.OutputGradient).Where(x.Is(y)).Value);
    }
}
