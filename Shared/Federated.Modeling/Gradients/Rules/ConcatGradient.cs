using Federated.Modeling.Graphs;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Joined inputs: each gets its part of the gradient.</summary>
internal sealed class ConcatGradient : IGradientRule
{
    public string OperatorType => "Concat";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        GraphNode node = context.Node;
        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", 0), node.Input(0).Shape.Rank);
        long start = 0;
        for (int i = 0; i < node.Inputs.Length; i++)
        {
            long end = start + node.Input(i).Shape[axis].Size;
            if (context.Needs(i))
            {
                context.Accumulate(i, graph.Node(
                    "Slice", context.OutputGradient, graph.Int64Vector(start), graph.Int64Vector(end), graph.Int64Vector(axis)));
            }

            start = end;
        }
    }
}
