using Federated.Modeling.Graphs;
using Federated.Modeling.Graphs.Folding;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Shapes;

/// <summary>What a Slice takes along one axis: <c>Start</c>, <c>Start + Step</c>, … as many as <c>Count</c>.</summary>
/// <param name="Axis">From the front.</param>
/// <param name="Size">The dimension that is cut.</param>
/// <param name="Start">First index, 0 to size − 1 unless the count is 0.</param>
/// <param name="Step">Distance of the indices; not 0, negative to go backwards.</param>
/// <param name="Count">How many are taken.</param>
public sealed record SliceRange(int Axis, Dimension Size, long Start, long Step, Dimension Count)
{
    /// <summary>Reads a node's inputs: starts, ends, and, unless left out, axes and steps.</summary>
    /// <exception cref="OnnxFormatException">They are not known before a run, do not fit, or cut a symbolic dimension.</exception>
    public static IReadOnlyList<SliceRange> Of(GraphNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        TensorShape shape = node.Input(0).Shape;
        long[] starts = Axes.Constant(node, 1);
        IReadOnlyList<KnownElement> ends = node.Input(2).Content?.Elements ?? throw node.Refuse("input 2 must be known before a run");
        long[] axes = node.OptionalInput(3) is null ? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)] : Axes.Constant(node, 3);
        long[] steps = node.OptionalInput(4) is null ? [.. starts.Select(_ => 1L)] : Axes.Constant(node, 4);
        if (ends.Count != starts.Length || axes.Length != starts.Length || steps.Length != starts.Length || steps.Contains(0))
        {
            throw node.Refuse($"{starts.Length} starts, {ends.Count} ends, {axes.Length} axes and {steps.Length} steps; as many of each are needed, and no step of 0");
        }

        return [.. starts.Select((start, i) => Of(node, shape, Axes.Normalize(node, axes[i], shape.Rank), start, ends[i], steps[i]))];
    }

    private static SliceRange Of(GraphNode node, TensorShape shape, int axis, long start, KnownElement end, long step)
    {
        Dimension dimension = shape[axis];
        bool toTheEnd = end.Symbol is null ? end.Integer >= int.MaxValue : end.Symbol == dimension.Symbol;
        if (dimension.IsSymbolic)
        {
            return start == 0 && step == 1 && toTheEnd
                ? new SliceRange(axis, dimension, 0, 1, dimension)
                : throw node.Refuse($"axis {axis} of {shape} is symbolic; only known dimensions can be cut");
        }

        if (end.Symbol is not null)
        {
            throw node.Refuse($"the end {end.Symbol} along axis {axis} of {shape} is not known before a run");
        }

        long size = dimension.Size;
        long highest = step > 0 ? size : size - 1;
        long from = Math.Clamp(start < 0 ? start + size : start, 0, Math.Max(highest, 0));
        long to = Math.Clamp(end.Integer < 0 ? end.Integer + size : end.Integer, step > 0 ? 0 : -1, Math.Max(highest, -1));
        long count = step > 0 ? (to - from + step - 1) / step : (to - from + step + 1) / step;
        return new SliceRange(axis, dimension, from, step, Math.Max(0, count));
    }
}
