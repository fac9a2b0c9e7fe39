using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Largest element over space: it gets the gradient; equal ones share it.</summary>
internal sealed class GlobalMaxPoolGradient : IGradientRule
{
    public string OperatorType => "GlobalMaxPool";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        GraphValue input = context.Node.Input(0);
        GraphValue isLargest = graph.Node(
            "Cast", NodeAttributes.None.With("to", (long)input.ElementType), graph.Node("Equal", input, context.RequireOutput(0)));
        GraphValue count = graph.Node(
            "ReduceSum", isLargest, graph.Int64Vector([.. Enumerable.Range(2, input.Shape.Rank - 2).Select(i => (long)i)]));
        context.Accumulate(0, graph.Node("Mul", isLargest, graph.Node("Div", context.OutputGradient, count)));
    }
}
