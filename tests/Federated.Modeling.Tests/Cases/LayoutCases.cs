using Federated.Modeling.Onnx;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Operators that move elements without computing.</summary>
internal static class LayoutCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        new("Flatten", "", r =>
        {
            int[] shape = r.Shape(1);
            int axis = r.Axis(shape.Length);
            return new([r.Normal(shape)], (g, x) => g.Node("Flatten", NodeAttributes.None.With("axis", axis), x[0]));
        }),
        new("Reshape", "", r =>
        {
            int[] shape = r.Shape(1);
            return new([r.Normal(shape)], (g, x) => g.Node("Reshape", x[0], g.Int64Vector(0, 1, -1)));
        }),
        new("Transpose", "", r =>
        {
            int[] shape = r.Shape(1, 4);
            long[] order = [.. Enumerable.Range(0, shape.Length).Select(i => (long)i)];
            r.Shuffle<long>(order);
            return new([r.Normal(shape)], (g, x) => g.Node("Transpose", NodeAttributes.None.With("perm", order), x[0]));
        }),
    ];
}
