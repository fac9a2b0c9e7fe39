namespace Federated.Modeling.Tests.Cases;

/// <summary>
/// Every operator that has a gradient rule, in at least one form. Each case is checked by differences, against torch's automatic differentiation, and for
/// the shapes that inference states. A new rule needs a line in one of these tables.
/// </summary>
internal static class OperatorCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        .. ConvolutionCases.All,
        .. ElementwiseCases.All,
        .. LayoutCases.All,
        .. LossCases.All,
        .. MatrixCases.All,
        .. NormalizationCases.All,
        .. PoolingCases.All,
        .. ReductionCases.All,
        .. SelectionCases.All,
    ];

    public static OperatorCase Named(string name) => All.Single(c => c.ToString() == name);
}
