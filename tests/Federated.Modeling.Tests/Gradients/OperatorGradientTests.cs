using Federated.Modeling.Gradients;
using Federated.Modeling.Shapes;
using Federated.Modeling.Tests.Cases;
using Federated.Modeling.Tests.Reference;

namespace Federated.Modeling.Tests.Gradients;

/// <summary>Every rule on random shapes: see <see cref="GradientCheck"/> for steps and tolerances.</summary>
public sealed class OperatorGradientTests
{
    private const ulong Instances = 16;

    public static TheoryData<string> Names => [.. OperatorCases.All.Select(c => c.ToString())];

    [Theory]
    [MemberData(nameof(Names))]
    public void Backward_RandomShapes_MatchesDifferencesAndOnnxRuntime(string name)
    {
        for (ulong number = 0; number < Instances; number++)
        {
            OperatorInstance instance = OperatorCases.Named(name).Instance(number);
            GradientCheck.Run(instance.Build, [.. instance.Operands.Select(o => new Tensor(o.Values, o.Shape))]);
        }
    }

    [Fact]
    public void Default_EveryRule_HasShapeInferenceAndACase()
    {
        Assert.Subset(ShapeInference.Operators.ToHashSet(), GradientRules.Default.Operators.ToHashSet());
        Assert.Equal(GradientRules.Default.Operators, OperatorCases.All.Select(c => c.Operator).Distinct().Order(StringComparer.Ordinal));
    }
}
