using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Repeated along its axes: the gradient, with the repetitions as dimensions of their own, is summed over them.</summary>
internal sealed class TileGradient : IGradientRule
{
    public string OperatorType => "Tile";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        TensorShape shape = context.Node.Input(0).Shape;
        long[] repeats = Axes.Constant(context.Node, 1);
        List<long> apart = [];
        List<long> summed = [];
        for (int i = 0; i < shape.Rank; i++)
        {
            if (repeats[i] != 1)
            {
                summed.Add(apart.Count);
                apart.Add(repeats[i]);
            }

            apart.Add(shape[i].IsSymbolic ? -1 : shape[i].Size);
        }

        if (apart.Count(d => d == -1) > 1)
        {
            throw context.Node.Refuse($"input 0 has shape {shape}; a gradient is supported with one symbolic dimension at most");
        }

        GraphValue gradient = context.OutputGradient;
        context.Accumulate(0, summed.Count == 0 ? gradient : graph.Node(
            "ReduceSum",
            NodeAttributes.None.With("keepdims", 0),
            graph.Node("Reshape", gradient, graph.Int64Vector([.. apart])),
            graph.Int64Vector([.. summed])));
    }
}
