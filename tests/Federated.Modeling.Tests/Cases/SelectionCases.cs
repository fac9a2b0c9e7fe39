using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Shared.Randomness;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Operators that pick, join, repeat, mask or surround elements.</summary>
internal static class SelectionCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        new("Concat", "", r =>
        {
            int[] shape = r.Shape(1);
            int axis = r.Axis(shape.Length);
            Operand[] parts = [.. Enumerable.Range(0, r.Between(1, 3)).Select(_ =>
            {
                int[] part = [.. shape];
                part[axis < 0 ? axis + shape.Length : axis] = r.Between(1, 3);
                return r.Normal(part);
            })];
            return new(parts, (g, x) => g.Node("Concat", NodeAttributes.None.With("axis", axis), x));
        }),
        new("CumSum", "", r =>
        {
            int[] shape = r.Shape(1);
            int axis = r.Axis(shape.Length);
            NodeAttributes attributes = NodeAttributes.None.With("exclusive", r.NextInt(2)).With("reverse", r.NextInt(2));
            return new([r.Normal(shape)], (g, x) => g.Node("CumSum", attributes, x[0], g.Constant(TensorContent.Integers([axis], []))));
        }),
        new("Gather", "", r => Gather(r, r.Shape(0, 2))),
        new("Gather", "one index", r => Gather(r, [.. Enumerable.Repeat(1, r.NextInt(3))])),
        new("GatherElements", "", r =>
        {
            int[] shape = r.Shape(1);
            int axis = r.Axis(shape.Length);
            int size = shape[axis < 0 ? axis + shape.Length : axis];
            int[] indexShape = [.. shape];
            indexShape[axis < 0 ? axis + shape.Length : axis] = r.Between(1, 5);
            long[] indices = Indices(r, indexShape, size);
            return new([r.Normal(shape)], (g, x) => g.Node("GatherElements", NodeAttributes.None.With("axis", axis), x[0], Whole(g, indices, indexShape)));
        }),
        new("Pad", "", r =>
        {
            int[] shape = r.Shape(1);
            long[] pads = [.. r.Each(2 * shape.Length, 0, 3).Select((p, i) => shape[i % shape.Length] > 3 ? p - 1 : p)];
            return new([r.Normal(shape)], (g, x) => g.Node("Pad", x[0], g.Int64Vector(pads), g.Scalar(x[0].ElementType, 2)));
        }),
        new("Pad", "some axes", r =>
        {
            int[] shape = r.Shape(1);
            long[] axes = r.Axes(shape.Length);
            long[] pads = r.Each(2 * axes.Length, 0, 2);
            return new([r.Normal(shape)], (g, x) => g.Node("Pad", x[0], g.Int64Vector(pads), null, g.Int64Vector(axes)));
        }),
        new("Resize", "", r =>
        {
            double[] scales = [1, 1, r.Between(1, 3), r.Between(1, 3)];
            NodeAttributes attributes = NodeAttributes.None.With("mode", "nearest").With("coordinate_transformation_mode", "asymmetric").With("nearest_mode", "floor");
            return new(
                [r.Normal(r.Between(1, 2), r.Between(1, 2), r.Between(1, 3), r.Between(1, 3))],
                (g, x) => g.Node("Resize", attributes, x[0], null, g.Constant(TensorContent.Floating(DataType.Float, scales, [4]))));
        }),
        new("Slice", "", r =>
        {
            int[] shape = r.Shape(1);
            long[] axes = r.Axes(shape.Length);
            long[] sizes = [.. axes.Select(a => (long)shape[a < 0 ? a + shape.Length : a])];
            long[] starts = [.. sizes.Select(s => (long)r.NextInt((int)s))];
            long[] steps = [.. axes.Select(_ => (long)((r.NextInt(2) * 2) - 1) * r.Between(1, 3))];
            long[] ends = [.. steps.Select((s, i) => s > 0 ? (r.NextInt(2) == 0 ? long.MaxValue : sizes[i]) : -sizes[i] - 1)];
            return new([r.Normal(shape)], (g, x) => g.Node("Slice", x[0], g.Int64Vector(starts), g.Int64Vector(ends), g.Int64Vector(axes), g.Int64Vector(steps)));
        }),
        new("Split", "sizes", r =>
        {
            int[] shape = r.Shape(1);
            int axis = r.Axis(shape.Length);
            long[] sizes = r.Each(r.Between(1, 3), 1, 3);
            shape[axis < 0 ? axis + shape.Length : axis] = (int)sizes.Sum();
            return new([r.Normal(shape)], (g, x) => Rejoined(
                g, axis, g.Append("Split", "Split", NodeAttributes.None.With("axis", axis), [x[0], g.Int64Vector(sizes)], sizes.Length)));
        }),
        new("Split", "equal parts", r =>
        {
            int[] shape = r.Shape(1);
            int axis = r.Axis(shape.Length);
            int count = r.Between(1, 3);
            shape[axis < 0 ? axis + shape.Length : axis] = (count * 2) - r.NextInt(2);
            return new([r.Normal(shape)], (g, x) => Rejoined(
                g, axis, g.Append("Split", "Split", NodeAttributes.None.With("axis", axis).With("num_outputs", count), [x[0]], count)));
        }),
        new("Tile", "", r =>
        {
            int[] shape = r.Shape(1);
            long[] repeats = r.Each(shape.Length, 1, 3);
            return new([r.Normal(shape)], (g, x) => g.Node("Tile", x[0], g.Int64Vector(repeats)));
        }),
        new("Trilu", "", r =>
        {
            int[] shape = r.Shape(2, 3);
            NodeAttributes attributes = NodeAttributes.None.With("upper", r.NextInt(2));
            long diagonal = r.Between(-2, 2);
            return new([r.Normal(shape)], (g, x) => g.Node("Trilu", attributes, x[0], g.Constant(TensorContent.Integers([diagonal], []))));
        }),
        .. new[] { "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual" }.Select(comparison => new OperatorCase("Where", comparison, r =>
        {
            int[][] shapes = r.BroadcastShapes(3);
            Operand limit = r.Normal(shapes[0]);
            return new([r.Normal(shapes[1]), r.Normal(shapes[2])], (g, x) => g.Node("Where", g.Node(comparison, g.Frozen(limit), g.Scalar(x[0].ElementType, 0.2)), x[0], x[1]));
        })),
        .. new[] { "And", "Or", "Xor" }.Select(combination => new OperatorCase("Where", combination, r =>
        {
            int[] shape = r.Shape();
            (Operand a, Operand b) = (r.Normal(shape), r.Normal(shape));
            return new([r.Normal(shape), r.Normal(shape)], (g, x) =>
            {
                GraphValue zero = g.Scalar(x[0].ElementType, 0);
                GraphValue positive = g.Node("Greater", g.Frozen(a), zero);
                GraphValue notNegative = g.Node("Not", g.Node("Or", g.Node("Less", g.Frozen(b), zero), g.Node("IsNaN", g.Frozen(b))));
                return g.Node("Where", g.Node(combination, positive, notNegative), x[0], x[1]);
            });
        })),
    ];

    private static OperatorInstance Gather(SeededGenerator r, int[] indexShape)
    {
        int[] shape = r.Shape(1);
        int axis = r.Axis(shape.Length);
        long[] indices = Indices(r, indexShape, shape[axis < 0 ? axis + shape.Length : axis]);
        return new([r.Normal(shape)], (g, x) => g.Node("Gather", NodeAttributes.None.With("axis", axis), x[0], Whole(g, indices, indexShape)));
    }

    /// <summary>Indices of a dimension, from the front or from the end, some of them twice.</summary>
    private static long[] Indices(SeededGenerator r, int[] shape, int size) =>
        [.. Enumerable.Range(0, shape.Aggregate(1, (product, d) => product * d)).Select(_ => (long)(r.NextInt(2 * size) - size))];

    private static GraphValue Whole(GraphBuilder graph, long[] values, int[] shape) =>
        graph.Constant(TensorContent.Integers(values, [.. shape.Select(d => (long)d)]));

    /// <summary>The last part is left out where there are several, so that it has no gradient.</summary>
    private static GraphValue Rejoined(GraphBuilder graph, long axis, GraphNode split)
    {
        GraphValue[] parts = [.. split.Outputs.Select(o => o!)];
        return parts.Length == 1 ? parts[0] : graph.Node("Concat", NodeAttributes.None.With("axis", axis), parts[..^1].Reverse());
    }
}
