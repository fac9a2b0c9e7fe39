using Federated.Modeling.Graphs;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Mean over space: every element of a channel gets the same share of its gradient.</summary>
internal sealed class GlobalAveragePoolGradient : IGradientRule
{
    public string OperatorType => "GlobalAveragePool";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        TensorShape shape = context.Node.Input(0).Shape;
        long[] spatial = [.. shape.Dimensions[2..].Select(d => d.IsSymbolic ? throw context.Node.Refuse($"the space of {shape} must be known") : d.Size)];
        GraphValue share = graph.Node(
            "Mul", context.OutputGradient, graph.Scalar(context.OutputGradient.ElementType, 1d / spatial.Aggregate(1L, (product, d) => product * d)));
        context.Accumulate(0, graph.Node("Expand", share, graph.Int64Vector([1, 1, .. spatial])));
    }
}
