using Federated.Modeling.Graphs;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Y = N · scale + shift with N = (X − mean) · r, r = 1 / √(variance + epsilon), both over the dimensions from <c>axis</c> on (Ba et al. 2016, arXiv 1607.06450).
/// With G = dY · scale: dX = r · (G − mean G − N · mean(G · N)), dscale = Σ dY · N, dshift = Σ dY. The node's outputs 1 and 2 are mean and r.
/// </summary>
internal sealed class LayerNormalizationGradient : IGradientRule
{
    public string OperatorType => "LayerNormalization";

    public void Backward(GradientContext context)
    {
        if (context.Gradient(1) is not null || context.Gradient(2) is not null)
        {
            throw context.Node.Refuse("the loss depends on the mean or the deviation it gives; gradients pass through its first output only");
        }

        GraphBuilder graph = context.Graph;
        Term gradient = new(graph, context.OutputGradient);
        if (context.Needs(0) || context.Needs(1))
        {
            Term mean = new(graph, context.RequireOutput(1));
            Term reciprocal = new(graph, context.RequireOutput(2));
            Term normalized = (new Term(graph, context.Node.Input(0)) - mean) * reciprocal;
            if (context.Needs(0))
            {
                Term scaled = gradient * new Term(graph, context.Node.Input(1));
                context.Accumulate(0, (reciprocal * (scaled - Mean(scaled) - (normalized * Mean(scaled * normalized)))).Value);
            }

            if (context.Needs(1))
            {
                context.Accumulate(1, graph.SumTo((gradient * normalized).Value, context.Node.Input(1), context.Node));
            }
        }

        if (context.Needs(2))
        {
            context.Accumulate(2, graph.SumTo(gradient.Value, context.Node.Input(2), context.Node));
        }

        Term Mean(Term term) => term.Apply("ReduceMean", graph.Int64Vector(NormalizationShapes.NormalizedAxes(context.Node)));
    }
}
