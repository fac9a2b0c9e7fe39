using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Every element repeated: the sum of its repetitions' gradients, which is their mean, a fast operator, times their number.</summary>
internal sealed class ResizeGradient : IGradientRule
{
    public string OperatorType => "Resize";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        ImmutableArray<long> factors = ResizeFactors.Of(context.Node);
        if (factors.Length is not (3 or 4) || factors[0] != 1 || factors[1] != 1)
        {
            throw context.Node.Refuse($"dimensions are repeated [{string.Join(", ", factors)}] times; a gradient is supported for [1, 1, …] of rank 3 or 4");
        }

        ImmutableArray<long> spatial = factors[2..];
        GraphValue mean = graph.Node(
            "AveragePool", NodeAttributes.None.With("kernel_shape", spatial).With("strides", spatial), context.OutputGradient);
        context.Accumulate(0, graph.Node("Mul", mean, graph.Scalar(mean.ElementType, spatial.Aggregate(1L, (product, f) => product * f))));
    }
}
