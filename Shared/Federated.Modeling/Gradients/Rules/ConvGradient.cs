using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Y = X ∗ W + B over [N, C, H, W]. dX is the transposed convolution of dY with W; dW is that of <see cref="ConvWeightGradient"/>; dB sums dY over
/// batch and space.
/// </summary>
internal sealed class ConvGradient : IGradientRule
{
    public string OperatorType => "Conv";

    public void Backward(GradientContext context)
    {
        GraphNode node = context.Node;
        GraphValue weight = node.Input(1);
        Window window = Window.Of(node, [weight.Shape[2].Size, weight.Shape[3].Size]);
        if (context.Needs(0))
        {
            context.Accumulate(0, InputGradient(context, window));
        }

        if (context.Needs(1))
        {
            context.Accumulate(1, ConvWeightGradient.Append(context.Graph, node, context.OutputGradient, window));
        }

        if (context.Needs(2))
        {
            context.Accumulate(2, context.Graph.Node(
                "ReduceSum", NodeAttributes.None.With("keepdims", 0), context.OutputGradient, context.Graph.Int64Vector(0, 2, 3)));
        }
    }

    /// <summary>Rows and columns the last stride did not reach come back as output padding.</summary>
    private static GraphValue InputGradient(GradientContext context, Window window)
    {
        TensorShape input = context.Node.Input(0).Shape;
        TensorShape output = context.OutputGradient.Shape;
        long[] missing = [.. Enumerable.Range(0, 2).Select(i => input[i + 2].Size - window.TransposedOutput(output, i))];
        NodeAttributes attributes = Attributes(window)
            .With("group", window.Group)
            .With("strides", window.Strides)
            .With("dilations", window.Dilations);
        attributes = missing.Any(m => m != 0) ? attributes.With("output_padding", missing) : attributes;
        return context.Graph.Node("ConvTranspose", attributes, context.OutputGradient, context.Node.Input(1));
    }

    private static NodeAttributes Attributes(Window window) =>
        NodeAttributes.None.With("pads", [.. window.PadsBegin, .. window.PadsEnd]);
}
