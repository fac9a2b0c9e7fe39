using System.Collections.Immutable;
using Federated.Modeling.Gradients.Rules;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients;

/// <summary>The table of rules, one an operator. Immutable.</summary>
public sealed class GradientRules
{
    private readonly ImmutableSortedDictionary<string, IGradientRule> _byOperator;

    private GradientRules(ImmutableSortedDictionary<string, IGradientRule> byOperator) => _byOperator = byOperator;

    /// <summary>Every rule of this project.</summary>
    public static GradientRules Default { get; } = new(new IGradientRule[]
    {
        new AddGradient(),
        new BatchNormalizationGradient(),
        new ClipGradient(),
        new ConvGradient(),
        new ExtremumGradient("Max"),
        new ExtremumGradient("Min"),
        new FlattenGradient(),
        new GemmGradient(),
        new LayerNormalizationGradient(),
        new LogSoftmaxGradient(),
        new MatMulGradient(),
        new MaxPoolGradient(),
        new ReluGradient(),
        new ReshapeGradient(),
        new SoftmaxCrossEntropyLossGradient(),
        new SoftmaxGradient(),
        new TransposeGradient(),
    }.Concat(ElementwiseGradients.All).Concat(ReductionGradients.All).ToImmutableSortedDictionary(r => r.OperatorType, r => r, StringComparer.Ordinal));

    /// <summary>Operators that have a rule, in ordinal order.</summary>
    public IEnumerable<string> Operators => _byOperator.Keys;

    /// <summary>The table with one more rule, or another one for an operator.</summary>
    public GradientRules With(IGradientRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return new GradientRules(_byOperator.SetItem(rule.OperatorType, rule));
    }

    /// <summary>The rule for a node.</summary>
    /// <exception cref="OnnxFormatException">There is none.</exception>
    public IGradientRule For(GraphNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return _byOperator.TryGetValue(node.OperatorType, out IGradientRule? rule)
            ? rule
            : throw node.Refuse($"no gradient rule for this operator; rules exist for {string.Join(", ", Operators)}. Freeze what lies before the node or add a rule");
    }
}
