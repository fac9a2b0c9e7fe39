using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Operators that give the same elements in another shape, type or order.</summary>
internal static class LayoutCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        new("Cast", "to whole numbers", r => new([r.Apart(r.Shape())], (g, x) =>
            g.Node("Add", x[0], CastTo(g, x[0].ElementType, CastTo(g, DataType.Int64, x[0]))))),
        new("CastLike", "of truth values", r => new([r.Apart(r.Shape())], (g, x) =>
            g.Node("Mul", x[0], g.Node("CastLike", g.Node("Greater", x[0], g.Scalar(x[0].ElementType, 0)), x[0])))),
        new("CastLike", "to the same type", r => new([r.Normal(r.Shape())], (g, x) => g.Node("CastLike", x[0], x[0]))),
        new("DepthToSpace", "", r => Blocks(r, "DepthToSpace", NodeAttributes.None)),
        new("DepthToSpace", "columns first", r => Blocks(r, "DepthToSpace", NodeAttributes.None.With("mode", "CRD"))),
        new("Dropout", "off", r => new([r.Normal(r.Shape())], (g, x) => g.Node("Dropout", x[0]))),
        new("Expand", "", r =>
        {
            int[][] shapes = r.BroadcastShapes(2);
            return new([r.Normal(shapes[0])], (g, x) => g.Node("Expand", x[0], g.Int64Vector([.. shapes[1].Select(d => (long)d)])));
        }),
        new("Flatten", "", r =>
        {
            int[] shape = r.Shape(1);
            int axis = r.Axis(shape.Length);
            return new([r.Normal(shape)], (g, x) => g.Node("Flatten", NodeAttributes.None.With("axis", axis), x[0]));
        }),
        new("Identity", "", r => new([r.Normal(r.Shape())], (g, x) => g.Node("Identity", x[0]))),
        new("Reshape", "", r =>
        {
            int[] shape = r.Shape(1);
            return new([r.Normal(shape)], (g, x) => g.Node("Reshape", x[0], g.Int64Vector(0, 1, -1)));
        }),
        new("SpaceToDepth", "", r => Blocks(r, "SpaceToDepth", NodeAttributes.None)),
        new("Squeeze", "", r =>
        {
            int[] shape = r.Shape(1);
            long[] axes = [.. r.Axes(shape.Length)];
            foreach (long axis in axes)
            {
                shape[axis < 0 ? axis + shape.Length : axis] = 1;
            }

            return new([r.Normal(shape)], (g, x) => g.Node("Squeeze", x[0], g.Int64Vector(axes)));
        }),
        new("Squeeze", "all dimensions of size 1", r => new([r.Normal(r.Shape(1))], (g, x) => g.Node("Squeeze", x[0]))),
        new("Transpose", "", r =>
        {
            int[] shape = r.Shape(1, 4);
            long[] order = [.. Enumerable.Range(0, shape.Length).Select(i => (long)i)];
            r.Shuffle<long>(order);
            return new([r.Normal(shape)], (g, x) => g.Node("Transpose", NodeAttributes.None.With("perm", order), x[0]));
        }),
        new("Unsqueeze", "", r =>
        {
            int[] shape = r.Shape();
            long[] axes = [.. r.Axes(shape.Length + 2).Take(2)];
            long rank = shape.Length + axes.Length;
            long[] fitting = [.. axes.Select(a => Math.Clamp(a, -rank, rank - 1)).DistinctBy(a => a < 0 ? a + rank : a)];
            return new([r.Normal(shape)], (g, x) => g.Node("Unsqueeze", x[0], g.Int64Vector(fitting.Length == axes.Length ? fitting : [0])));
        }),
    ];

    private static GraphValue CastTo(GraphBuilder graph, DataType type, GraphValue x) => graph.Node("Cast", NodeAttributes.None.With("to", (long)type), x);

    private static OperatorInstance Blocks(Shared.Randomness.SeededGenerator r, string operatorType, NodeAttributes attributes)
    {
        int block = r.Between(1, 3);
        bool toSpace = operatorType == "DepthToSpace";
        int channels = r.Between(1, 2) * (toSpace ? block * block : 1);
        int side = toSpace ? 1 : block;
        return new(
            [r.Normal(r.Between(1, 2), channels, side * r.Between(1, 2), side * r.Between(1, 2))],
            (g, x) => g.Node(operatorType, attributes.With("blocksize", block), x[0]));
    }
}
