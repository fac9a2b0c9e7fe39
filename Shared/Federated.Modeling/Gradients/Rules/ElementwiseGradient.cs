using Federated.Modeling.Graphs;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>A rule as one formula an input. Each formula gives the gradient in the broadcast shape; it is summed to the input's.</summary>
internal sealed class ElementwiseGradient(string operatorType, params Func<ElementwisePoint, Term>[] gradients) : IGradientRule
{
    public string OperatorType => operatorType;

    public void Backward(GradientContext context)
    {
        ElementwisePoint point = new(context);
        for (int i = 0; i < gradients.Length; i++)
        {
            if (context.Needs(i))
            {
                context.Accumulate(i, context.Graph.SumTo(gradients[i](point).Value, context.Node.Input(i), context.Node));
            }
        }
    }
}

/// <summary>Where a formula is evaluated: the node's inputs, its output and the output's gradient.</summary>
internal sealed class ElementwisePoint(GradientContext context)
{
    public GradientContext Context => context;

    public Term Gradient => new(context.Graph, context.OutputGradient);

    public Term X => Input(0);

    public Term A => Input(0);

    public Term B => Input(1);

    public Term Y => new(context.Graph, context.RequireOutput(0));

    public double Attribute(string name, float defaultValue) => context.Node.Attributes.NumberOr(name, defaultValue);

    private Term Input(int index) => new(context.Graph, context.Node.Input(index));
}
