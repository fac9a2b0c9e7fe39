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
        new AveragePoolGradient(),
        new BatchNormalizationGradient(),
        new CastGradient("Cast"),
        new CastGradient("CastLike"),
        new ClipGradient(),
        new ConcatGradient(),
        new ConvGradient(),
        new ConvTransposeGradient(),
        new CumSumGradient(),
        new DepthToSpaceGradient(),
        new SameElementsGradient("Dropout"),
        new ExpandGradient(),
        new SameElementsGradient("Flatten"),
        new GatherGradient(),
        new GatherElementsGradient(),
        new GemmGradient(),
        new GlobalAveragePoolGradient(),
        new GlobalMaxPoolGradient(),
        new SameElementsGradient("Identity"),
        new LayerNormalizationGradient(),
        new LogSoftmaxGradient(),
        new MatMulGradient(),
        new ExtremumGradient("Max"),
        new MaxPoolGradient(),
        new ExtremumGradient("Min"),
        new PadGradient(),
        new ReluGradient(),
        new SameElementsGradient("Reshape"),
        new ResizeGradient(),
        new SliceGradient(),
        new SoftmaxGradient(),
        new SoftmaxCrossEntropyLossGradient(),
        new SpaceToDepthGradient(),
        new SplitGradient(),
        new SameElementsGradient("Squeeze"),
        new TileGradient(),
        new TransposeGradient(),
        new TriluGradient(),
        new SameElementsGradient("Unsqueeze"),
        new WhereGradient(),
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
