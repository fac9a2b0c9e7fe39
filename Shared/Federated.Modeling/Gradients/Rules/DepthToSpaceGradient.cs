using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Channels laid out as blocks: the gradient's blocks become channels again, in the order the mode says.</summary>
internal sealed class DepthToSpaceGradient : IGradientRule
{
    public string OperatorType => "DepthToSpace";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        GraphValue input = context.Node.Input(0);
        GraphValue gradient = context.OutputGradient;
        long block = context.Node.Attributes.IntegerOr("blocksize", 0);
        if (context.Node.Attributes.TextOr("mode", "DCR") == "DCR")
        {
            context.Accumulate(0, graph.Node("SpaceToDepth", NodeAttributes.None.With("blocksize", block), gradient));
            return;
        }

        GraphValue blocks = graph.Node(
            "Reshape", gradient, graph.Int64Vector(0, gradient.Shape[1].Size, input.Shape[2].Size, block, input.Shape[3].Size, block));
        context.Accumulate(0, graph.ReshapeTo(graph.Permute(blocks, 0, 1, 3, 5, 2, 4), input));
    }
}
