using Federated.Modeling.Graphs;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Rules of operators that work element by element: X, A and B are inputs, Y the output, dY its gradient. At a kink the derivative is taken from one side, as
/// torch does, or shared where several elements are the extremum.
/// </summary>
internal static class ElementwiseGradients
{
    private const double HalfRoot = 0.70710678118654752; // √½
    private const double RootTwoByPi = 0.79788456080286536; // √(2/π)
    private const double GeluCubic = 0.044715;

    /// <summary>One rule an operator.</summary>
    public static IEnumerable<IGradientRule> All { get; } =
    [
        Unary("Abs", p => p.Gradient * p.X.Apply("Sign")),
        Unary("Cos", p => -(p.Gradient * p.X.Apply("Sin"))),
        Unary("Elu", p => p.Gradient.Where(p.X > 0, p.Gradient * (p.Y + p.Attribute("alpha", 1)))),
        Unary("Erf", p => p.Gradient * (p.X * p.X * -1).Apply("Exp") * (RootTwoByPi / HalfRoot)),
        Unary("Exp", p => p.Gradient * p.Y),
        Unary("Gelu", p => p.Gradient * Gelu(p)),
        Unary("HardSigmoid", p => p.Gradient * InsideUnit(p.Y) * p.Attribute("alpha", 0.2f)),
        Unary("HardSwish", p => p.Gradient * HardSwish(p)),
        Unary("LeakyRelu", p => p.Gradient.Where(p.X > 0, p.Gradient * p.Attribute("alpha", 0.01f))),
        Unary("Log", p => p.Gradient / p.X),
        Unary("Neg", p => -p.Gradient),
        Unary("Reciprocal", p => -(p.Gradient * p.Y * p.Y)),
        Unary("Sigmoid", p => p.Gradient * p.Y * (1 - p.Y)),
        Unary("Sin", p => p.Gradient * p.X.Apply("Cos")),
        Unary("Softplus", p => p.Gradient * p.X.Apply("Sigmoid")),
        Unary("Sqrt", p => p.Gradient / p.Y * 0.5),
        Unary("Tanh", p => p.Gradient * (1 - (p.Y * p.Y))),
        Binary("Div", p => p.Gradient / p.B, p => -(p.Gradient * p.Y / p.B)),
        Binary("Mul", p => p.Gradient * p.B, p => p.Gradient * p.A),
        Binary("Pow", PowGradient.OfBase, PowGradient.OfExponent),
        Binary("Sub", p => p.Gradient, p => -p.Gradient),
    ];

    /// <summary>1 where an element lies between 0 and 1, 0 where it is one of them.</summary>
    private static Term InsideUnit(Term y) => (y * (1 - y)).Apply("Sign");

    /// <summary>h(X) + X · h'(X) with h = clip(X / 6 + 1/2, 0, 1).</summary>
    private static Term HardSwish(ElementwisePoint p)
    {
        Term gate = p.X.Apply("HardSigmoid", Onnx.NodeAttributes.None.With("alpha", 1f / 6).With("beta", 0.5f));
        return gate + (p.X / 6 * InsideUnit(gate));
    }

    /// <summary>
    /// Φ(X) + X · φ(X), the normal distribution and its density (Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2); or the derivative of
    /// X / 2 · (1 + tanh u), u = √(2/π) · (X + 0.044715 · X³).
    /// </summary>
    private static Term Gelu(ElementwisePoint p)
    {
        Term x = p.X;
        Term square = x * x;
        if (p.Context.Node.Attributes.TextOr("approximate", "none") == "none")
        {
            Term distribution = ((x * HalfRoot).Apply("Erf") + 1) * 0.5;
            Term density = (square * -0.5).Apply("Exp") * (RootTwoByPi / 2);
            return distribution + (x * density);
        }

        Term tanh = (x * ((square * GeluCubic) + 1) * RootTwoByPi).Apply("Tanh");
        Term inner = ((square * (3 * GeluCubic)) + 1) * RootTwoByPi;
        return ((tanh + 1) * 0.5) + (x * 0.5 * (1 - (tanh * tanh)) * inner);
    }

    private static ElementwiseGradient Unary(string operatorType, Func<ElementwisePoint, Term> gradient) => new(operatorType, gradient);

    private static ElementwiseGradient Binary(string operatorType, Func<ElementwisePoint, Term> ofA, Func<ElementwisePoint, Term> ofB) =>
        new(operatorType, ofA, ofB);
}
