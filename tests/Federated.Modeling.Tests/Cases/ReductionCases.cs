using Federated.Modeling.Onnx;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Operators that reduce dimensions, and those that normalize along an axis.</summary>
internal static class ReductionCases
{
    private static readonly string[] s_reductions =
        ["ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"];

    private static readonly string[] s_leaveOneElement = ["ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"];

    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        .. s_reductions.Select(Axes),
        .. s_reductions.Select(Everything),
        .. s_leaveOneElement.Select(Nothing),
        new("ReduceProd", "zeros", r => new([r.WithZeros(r.Apart(r.Shape(1)))], (g, x) => g.Node("ReduceProd", x[0], g.Int64Vector(-1)))),
        new("Softmax", "", r => AlongAxis(r, "Softmax")),
        new("Softmax", "the last axis", r => new([r.Normal(r.Shape(1))], (g, x) => g.Node("Softmax", x[0]))),
        new("LogSoftmax", "", r => AlongAxis(r, "LogSoftmax")),
    ];

    private static OperatorCase Axes(string operatorType) => new(operatorType, "axes", r =>
    {
        int[] shape = r.Shape(1);
        long[] axes = r.Axes(shape.Length);
        NodeAttributes keep = NodeAttributes.None.With("keepdims", r.NextInt(2));
        return new([r.Apart(shape)], (g, x) => g.Node(operatorType, keep, x[0], g.Int64Vector(axes)));
    });

    private static OperatorCase Everything(string operatorType) => new(operatorType, "all axes", r =>
    {
        NodeAttributes keep = NodeAttributes.None.With("keepdims", r.NextInt(2));
        return new([r.Apart(r.Shape())], (g, x) => g.Node(operatorType, keep, x[0]));
    });

    private static OperatorCase Nothing(string operatorType) => new(operatorType, "no axes", r =>
    {
        NodeAttributes attributes = NodeAttributes.None.With("keepdims", r.NextInt(2)).With("noop_with_empty_axes", 1);
        return new([r.Apart(r.Shape(1))], (g, x) => g.Node(operatorType, attributes, x[0], g.Int64Vector()));
    });

    private static OperatorInstance AlongAxis(SeededGenerator random, string operatorType)
    {
        int[] shape = random.Shape(1);
        int axis = random.Axis(shape.Length);
        return new([random.Normal(shape)], (g, x) => g.Node(operatorType, NodeAttributes.None.With("axis", axis), x[0]));
    }
}
