using Federated.Modeling.Onnx;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Operators that work element by element.</summary>
internal static class ElementwiseCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        Unary("Abs"),
        Unary("Cos"),
        Unary("Elu"),
        Unary("Elu", NodeAttributes.None.With("alpha", 0.3f)),
        Unary("Erf"),
        Unary("Exp"),
        Unary("Gelu"),
        Unary("Gelu", NodeAttributes.None.With("approximate", "tanh")),
        Unary("HardSigmoid"),
        Unary("HardSigmoid", NodeAttributes.None.With("alpha", 0.15f).With("beta", 0.4f)),
        Unary("HardSwish"),
        Unary("LeakyRelu"),
        Unary("LeakyRelu", NodeAttributes.None.With("alpha", 0.2f)),
        Unary("Neg"),
        Unary("Relu"),
        Unary("Sigmoid"),
        Unary("Sin"),
        Unary("Softplus"),
        Unary("Tanh"),
        UnaryOfPositive("Log"),
        UnaryOfPositive("Reciprocal"),
        UnaryOfPositive("Sqrt"),
        Binary("Add", RandomOperands.Normal),
        Binary("Div", RandomOperands.Positive),
        Binary("Max", RandomOperands.Apart),
        Binary("Min", RandomOperands.Apart),
        Binary("Mul", RandomOperands.Normal),
        Binary("Pow", RandomOperands.Positive),
        Binary("Sub", RandomOperands.Normal),
        new("Mul", "an operand twice", r => new([r.Normal(r.Shape())], (g, x) => g.Node("Mul", x[0], x[0]))),
        new("Max", "three operands", r => new([.. r.BroadcastShapes(3).Select(s => r.Apart(s))], (g, x) => g.Node("Max", x))),
        new("Max", "one operand", r => new([r.Apart(r.Shape())], (g, x) => g.Node("Max", x))),
        new("Min", "a constant", r => new([r.Apart(r.Shape())], (g, x) => g.Node("Min", x[0], g.Scalar(x[0].ElementType, 0.7)))),
        Power(0),
        Power(0.5),
        Power(1),
        Power(2),
        Power(-1.5),
        new("Pow", "an integer exponent", r => new([r.Normal(r.Shape())], (g, x) => g.Node("Pow", x[0], g.Int64Vector(3)))),
        new("Pow", "exponents some of which are 0", r =>
        {
            int[][] shapes = r.BroadcastShapes(2);
            Operand exponent = r.WithZeros(r.Normal(shapes[1]));
            return new([r.Positive(shapes[0])], (g, x) => g.Node("Pow", x[0], g.Frozen(exponent)));
        }),
        Clip("both bounds", -1.1, 2.3),
        Clip("no low bound", null, 0.4),
        Clip("no high bound", -0.4, null),
        Clip("no bounds", null, null),
    ];

    private static OperatorCase Unary(string operatorType) => Unary(operatorType, NodeAttributes.None);

    private static OperatorCase Unary(string operatorType, NodeAttributes attributes) => new(
        operatorType, string.Join(' ', attributes.Names), r => new([r.Apart(r.Shape())], (g, x) => g.Node(operatorType, attributes, x[0])));

    private static OperatorCase UnaryOfPositive(string operatorType) =>
        new(operatorType, "", r => new([r.Positive(r.Shape())], (g, x) => g.Node(operatorType, x[0])));

    private static OperatorCase Binary(string operatorType, Func<SeededGenerator, int[], Operand> operand) => new(
        operatorType, "", r => new([.. r.BroadcastShapes(2).Select(s => operand(r, s))], (g, x) => g.Node(operatorType, x[0], x[1])));

    private static OperatorCase Power(double exponent) => new(
        "Pow", $"exponent {exponent}", r => new([r.Positive(r.Shape())], (g, x) => g.Node("Pow", x[0], g.Scalar(x[0].ElementType, exponent))));

    private static OperatorCase Clip(string form, double? low, double? high) => new("Clip", form, r => new([r.Apart(r.Shape())], (g, x) => g.Node(
        "Clip", x[0], low is { } l ? g.Scalar(x[0].ElementType, l) : null, high is { } h ? g.Scalar(x[0].ElementType, h) : null)));
}
