using Federated.Modeling.Graphs;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Surrounded by a constant: the gradient without the surroundings, and with zeros where the operator cut off.</summary>
internal sealed class PadGradient : IGradientRule
{
    public string OperatorType => "Pad";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        PadAmounts amounts = PadAmounts.Of(context.Node);
        if (context.Needs(2))
        {
            throw context.Node.Refuse("input 2, the value that is padded with, is trainable; a constant is supported");
        }

        GraphValue back = graph.Int64Vector([.. amounts.Begin.Concat(amounts.End).Select(a => -a)]);
        context.Accumulate(0, graph.Node("Pad", context.OutputGradient, back, graph.Scalar(context.OutputGradient.ElementType, 0)));
    }
}
