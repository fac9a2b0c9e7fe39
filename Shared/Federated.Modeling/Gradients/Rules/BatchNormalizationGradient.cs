using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Y = (X − mean) · r · scale + shift with r = 1 / √(variance + epsilon), X [N, C, …], the rest [C], in the form for inference: mean and variance are
/// constants of the model. dX = dY · r · scale, dscale = Σ dY · (X − mean) · r, dshift = Σ dY, the sums over all but the channels.
/// </summary>
internal sealed class BatchNormalizationGradient : IGradientRule
{
    public string OperatorType => "BatchNormalization";

    public void Backward(GradientContext context)
    {
        GraphNode node = context.Node;
        for (int i = 3; i <= 4; i++)
        {
            if (context.Needs(i))
            {
                throw node.Refuse($"the running statistic '{node.Input(i).Name}' (input {i}) is trainable; freeze it");
            }
        }

        GraphBuilder graph = context.Graph;
        int rank = node.Input(0).Shape.Rank;
        Term gradient = new(graph, context.OutputGradient);
        Term reciprocal = (Channel(4) + node.Attributes.NumberOr("epsilon", 1e-5f)).Apply("Sqrt").Apply("Reciprocal");
        if (context.Needs(0))
        {
            context.Accumulate(0, (gradient * (reciprocal * Channel(1))).Value);
        }

        if (context.Needs(1))
        {
            context.Accumulate(1, SumToChannels(gradient * ((new Term(graph, node.Input(0)) - Channel(3)) * reciprocal)));
        }

        if (context.Needs(2))
        {
            context.Accumulate(2, SumToChannels(gradient));
        }

        Term Channel(int input) => new(graph, rank == 2
            ? node.Input(input)
            : graph.Node("Reshape", node.Input(input), graph.Int64Vector([-1, .. Enumerable.Repeat(1L, rank - 2)])));

        GraphValue SumToChannels(Term term) => term.Apply(
            "ReduceSum", NodeAttributes.None.With("keepdims", 0), graph.Int64Vector([0, .. Enumerable.Range(2, rank - 2).Select(i => (long)i)])).Value;
    }
}
