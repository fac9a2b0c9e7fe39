using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients;

/// <summary>What a rule sees of the node it differentiates.</summary>
public sealed class GradientContext
{
    private readonly GradientAccumulator _gradients;

    internal GradientContext(GraphBuilder graph, GraphNode node, GradientAccumulator gradients)
    {
        Graph = graph;
        Node = node;
        _gradients = gradients;
    }

    /// <summary>Where nodes are appended.</summary>
    public GraphBuilder Graph { get; }

    /// <summary>The forward node.</summary>
    public GraphNode Node { get; private set; }

    /// <summary>Gradient of the loss with respect to the node's first output.</summary>
    /// <exception cref="OnnxFormatException">The loss depends on the node by another output only.</exception>
    public GraphValue OutputGradient => Gradient(0) ?? throw Node.Refuse("the loss depends on an output that has no gradient");

    /// <summary>Gradient of the loss with respect to an output; null when the loss does not depend on it.</summary>
    public GraphValue? Gradient(int output) => Node.OptionalOutput(output) is { } value ? _gradients.Find(value) : null;

    /// <summary>True if the input is there and a trainable value lies behind it: only then is its gradient wanted.</summary>
    public bool Needs(int input) => Node.OptionalInput(input) is { } value && _gradients.Needs(value);

    /// <summary>Adds to the gradient of an input; does nothing when it is not wanted.</summary>
    /// <param name="input">Index of the input.</param>
    /// <param name="gradient">Of the input's shape.</param>
    public void Accumulate(int input, GraphValue gradient)
    {
        ArgumentNullException.ThrowIfNull(gradient);
        GraphValue target = Node.Input(input);
        if (!gradient.Shape.Equals(target.Shape) || gradient.ElementType != target.ElementType)
        {
            throw Node.Refuse($"the gradient {gradient} of input {input} does not match {target}");
        }

        if (_gradients.Needs(target))
        {
            _gradients.Add(target, gradient);
        }
    }

    /// <summary>Makes sure that the forward node computes an optional output, and gives it.</summary>
    public GraphValue RequireOutput(int output)
    {
        Node = Graph.WithOutputs(Node, output + 1);
        return Node.Outputs[output]!;
    }
}
