using Federated.Modeling.Graphs;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Part of the input: the gradient lies where the part was, with zeros around it. Axis by axis: what went backwards is turned round, what left elements
/// out gets zeros between, and both ends are padded.
/// </summary>
internal sealed class SliceGradient : IGradientRule
{
    public string OperatorType => "Slice";

    public void Backward(GradientContext context)
    {
        GraphValue gradient = context.OutputGradient;
        foreach (SliceRange range in SliceRange.Of(context.Node).Where(r => !r.Size.IsSymbolic))
        {
            gradient = range.Count == 0 ? context.Graph.PadAxis(gradient, range.Axis, range.Size.Size, 0) : Placed(context, gradient, range);
        }

        context.Accumulate(0, gradient);
    }

    private static GraphValue Placed(GradientContext context, GraphValue gradient, SliceRange range)
    {
        GraphBuilder graph = context.Graph;
        (int axis, long count, long step) = (range.Axis, range.Count.Size, Math.Abs(range.Step));
        long first = range.Start;
        if (range.Step < 0)
        {
            first -= (count - 1) * step;
            gradient = count == 1 ? gradient : graph.Node(
                "Slice", gradient, graph.Int64Vector(-1), graph.Int64Vector(long.MinValue), graph.Int64Vector(axis), graph.Int64Vector(-1));
        }

        if (step > 1 && count > 1)
        {
            GraphValue apart = graph.PadAxis(graph.Node("Unsqueeze", gradient, graph.Int64Vector(axis + 1)), axis + 1, 0, step - 1);
            gradient = graph.Node("Reshape", apart, graph.Int64Vector(Joined(context, gradient.Shape, axis, count * step)));
            count *= step;
        }

        return graph.PadAxis(gradient, axis, first, range.Size.Size - first - count);
    }

    /// <summary>Symbolic dimensions before the axis are copied, one after it is inferred.</summary>
    private static long[] Joined(GradientContext context, TensorShape shape, int axis, long size)
    {
        long[] joined = [.. shape.Dimensions.Select((d, i) => i == axis ? size : !d.IsSymbolic ? d.Size : i < axis ? 0 : -1)];
        return joined.Count(d => d == -1) <= 1
            ? joined
            : throw context.Node.Refuse($"steps along axis {axis} of {shape}; a gradient is supported with one symbolic dimension at most behind the axis");
    }
}
