using Federated.Modeling.Graphs;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Rules of operators that reduce dimensions: X is the input, Y the output and dY its gradient with the reduced dimensions kept as 1, n the number of
/// elements that became one. Extrema share the gradient equally where several elements are equal.
/// </summary>
internal static class ReductionGradients
{
    /// <summary>One rule an operator.</summary>
    public static IEnumerable<IGradientRule> All { get; } =
    [
        new ReductionGradient("ReduceL2", p => (p.Gradient * p.X / p.Y).Where(p.Y > 0)),
        new ReductionGradient("ReduceLogSumExp", p => p.Gradient * (p.X - p.Y).Apply("Exp")),
        new ReductionGradient("ReduceMax", Extremum),
        new ReductionGradient("ReduceMean", p => p.Gradient / p.Count),
        new ReductionGradient("ReduceMin", Extremum),
        new ReductionGradient("ReduceProd", Product),
        new ReductionGradient("ReduceSum", p => p.Gradient),
        new ReductionGradient("ReduceSumSquare", p => p.Gradient * p.X * 2),
    ];

    private static Term Extremum(ReductionPoint p)
    {
        Term taken = p.Number(p.X.Is(p.Y));
        return taken * (p.Gradient / p.Sum(taken));
    }

    /// <summary>The product of the others: of all that are not 0, by itself, unless one of the others is 0.</summary>
    private static Term Product(ReductionPoint p)
    {
        Term isZero = p.X.Is(0);
        Term zeros = p.Number(isZero);
        Term nonzero = p.X + zeros;
        Term othersZero = p.Sum(zeros) - zeros;
        return (p.Gradient * nonzero.Apply("ReduceProd", p.Axes) / nonzero).Where(othersZero.Is(0));
    }
}
