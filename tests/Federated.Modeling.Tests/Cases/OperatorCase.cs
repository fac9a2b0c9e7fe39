using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Cases;

/// <summary>
/// A form of an operator, as a recipe for random instances: shapes with dimensions of size 1, operands that broadcast, axes from either end.
/// </summary>
/// <param name="Operator">The ONNX operator that is put to the test; others may stand around it.</param>
/// <param name="Form">What is special about it; empty for nothing.</param>
/// <param name="Make">One instance.</param>
internal sealed record OperatorCase(string Operator, string Form, Func<SeededGenerator, OperatorInstance> Make)
{
    /// <summary>The instance of a number; the same number always gives the same one.</summary>
    public OperatorInstance Instance(ulong number) => Make(SeededGenerator.For(number, "operator-case", 0, ToString()));

    public override string ToString() => Form.Length == 0 ? Operator : $"{Operator}, {Form}";
}
