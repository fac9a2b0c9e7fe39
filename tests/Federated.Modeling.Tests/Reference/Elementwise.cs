using Federated.Modeling.Graphs;

namespace Federated.Modeling.Tests.Reference;

/// <summary>Functions of one element.</summary>
internal static class Elementwise
{
    /// <summary>The function that a node applies to each element; null when it is of another kind.</summary>
    public static Func<double, double>? Of(GraphNode node)
    {
        double alpha = Number(node);
        return node.OperatorType switch
        {
            "Abs" => Math.Abs,
            "Cos" => Math.Cos,
            "Elu" => x => x > 0 ? x : alpha * (Math.Exp(x) - 1),
            "Erf" => Erf,
            "Exp" => Math.Exp,
            "Gelu" => node.Attributes.TextOr("approximate", "none") == "none" ? x => x / 2 * (1 + Erf(x / Math.Sqrt(2))) : GeluByTanh,
            "HardSigmoid" => x => Math.Clamp((alpha * x) + node.Attributes.NumberOr("beta", 0.5f), 0, 1),
            "HardSwish" => x => x * Math.Clamp((x / 6) + 0.5, 0, 1),
            "LeakyRelu" => x => x > 0 ? x : alpha * x,
            "Log" => Math.Log,
            "Neg" => x => -x,
            "Reciprocal" => x => 1 / x,
            "Relu" => x => Math.Max(x, 0),
            "Sigmoid" => x => 1 / (1 + Math.Exp(-x)),
            "Sign" => x => Math.Sign(x),
            "Sin" => Math.Sin,
            "Softplus" => x => Math.Log(1 + Math.Exp(x)),
            "Sqrt" => Math.Sqrt,
            "Tanh" => Math.Tanh,
            _ => null,
        };
    }

    private static double Number(GraphNode node) => node.Attributes.NumberOr("alpha", node.OperatorType switch
    {
        "HardSigmoid" => 0.2f,
        "LeakyRelu" => 0.01f,
        _ => 1,
    });

    /// <summary>2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1)): all terms have one sign, so no digits are lost (Abramowitz and Stegun 7.1.6).</summary>
    private static double Erf(double x)
    {
        double term = x;
        double sum = 0;
        for (int n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            sum += term;
            term *= 2 * x * x / ((2 * n) + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    private static double GeluByTanh(double x) => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));
}
