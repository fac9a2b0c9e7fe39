using Federated.Modeling.Graphs;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>One of two operands, element by element: the gradient goes to the one that was taken, summed to its shape.</summary>
internal sealed class WhereGradient : IGradientRule
{
    public string OperatorType => "Where";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        GraphNode node = context.Node;
        GraphValue gradient = context.OutputGradient;
        GraphValue zero = graph.Scalar(gradient.ElementType, 0);
        if (context.Needs(1))
        {
            context.Accumulate(1, graph.SumTo(graph.Node("Where", node.Input(0), gradient, zero), node.Input(1), node));
        }

        if (context.Needs(2))
        {
            context.Accumulate(2, graph.SumTo(graph.Node("Where", node.Input(0), zero, gradient), node.Input(2), node));
        }
    }
}
