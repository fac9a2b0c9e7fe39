using Federated.Modeling.Onnx;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Operators that shift and scale to mean 0 and variance 1.</summary>
internal static class NormalizationCases
{
    public static IReadOnlyList<OperatorCase> All { get; } =
    [
        new("LayerNormalization", "", r => Layer(r, shifted: true)),
        new("LayerNormalization", "no shift", r => Layer(r, shifted: false)),
        new("BatchNormalization", "", r =>
        {
            int[] shape = r.Shape(2, 4);
            int channels = shape[1];
            Operand mean = r.Normal(channels);
            Operand variance = r.Positive(channels);
            return new(
                [r.Normal(shape), r.Normal(channels), r.Normal(channels)],
                (g, x) => g.Node("BatchNormalization", NodeAttributes.None.With("epsilon", 0.01f), x[0], x[1], x[2], g.Frozen(mean), g.Frozen(variance)));
        }),
    ];

    /// <summary>The normalized dimensions hold 4 elements at least: two that are nearly equal would have an arbitrarily steep quotient.</summary>
    private static OperatorInstance Layer(SeededGenerator random, bool shifted)
    {
        int[] shape = [.. random.Shape(0, 2), random.Between(4, 6)];
        int axis = random.Axis(shape.Length);
        int[] normalized = shape[(axis < 0 ? axis + shape.Length : axis)..];
        NodeAttributes attributes = NodeAttributes.None.With("axis", axis).With("epsilon", 0.01f);
        Operand[] operands = [random.Apart(shape), random.Normal(normalized), random.Normal(normalized)];
        return new(shifted ? operands : operands[..2], (g, x) => g.Node("LayerNormalization", attributes, x));
    }
}
