using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Y = X ∗ᵀ W + B: a convolution of Y's space into X's, transposed. So dX is the convolution of dY with W, and dW is that convolution's weight gradient
/// with dY in the place of its input and X in that of its output's gradient.
/// </summary>
internal sealed class ConvTransposeGradient : IGradientRule
{
    public string OperatorType => "ConvTranspose";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        GraphNode node = context.Node;
        GraphValue gradient = context.OutputGradient;
        Window window = Window.OfConvolution(node);
        if (context.Needs(0))
        {
            NodeAttributes attributes = NodeAttributes.None
                .With("pads", window.Pads)
                .With("group", window.Group)
                .With("strides", window.Strides)
                .With("dilations", window.Dilations);
            context.Accumulate(0, graph.Node("Conv", attributes, gradient, node.Input(1)));
        }

        if (context.Needs(1))
        {
            context.Accumulate(1, ConvWeightGradient.Append(graph, node.Input(1), gradient, node.Input(0), window));
        }

        if (context.Needs(2))
        {
            context.Accumulate(2, ConvGradient.BiasGradient(graph, gradient));
        }
    }
}
