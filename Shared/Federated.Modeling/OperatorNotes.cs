using System.Collections.Immutable;

namespace Federated.Modeling;

/// <summary>What a reader wants to know of an operator beyond its name.</summary>
/// <param name="Differentiable">Inputs that gradients pass through, in the operator's words; "all" for any number.</param>
/// <param name="Limits">What is refused, or how older forms are taken; empty for nothing.</param>
internal sealed record OperatorNote(string Differentiable, string Limits = "");

/// <summary>One note for every operator that has a gradient rule.</summary>
internal static class OperatorNotes
{
    private const string Axes = "axes are known: an attribute before operator set 18, a constant since";
    private const string NeedsAxes = Axes + "; not `noop_with_empty_axes` without any";

    public static ImmutableSortedDictionary<string, OperatorNote> ByOperator { get; } = new Dictionary<string, OperatorNote>(StringComparer.Ordinal)
    {
        ["Abs"] = new("X"),
        ["Add"] = new("A, B"),
        ["BatchNormalization"] = new("X, scale, B", "for inference: `training_mode` = 0; mean and variance frozen"),
        ["Clip"] = new("input", "bounds frozen, each may be left out"),
        ["Conv"] = new("X, W, B", "two dimensions of space, explicit pads; with `group` above 1 the weight frozen"),
        ["Cos"] = new("input"),
        ["Div"] = new("A, B"),
        ["Elu"] = new("X"),
        ["Erf"] = new("input"),
        ["Exp"] = new("input"),
        ["Flatten"] = new("input"),
        ["Gelu"] = new("X", "`approximate` none or tanh"),
        ["Gemm"] = new("A, B, C"),
        ["HardSigmoid"] = new("X"),
        ["HardSwish"] = new("X"),
        ["LayerNormalization"] = new("X, Scale, B", "only the first output leads to the loss"),
        ["LeakyRelu"] = new("X"),
        ["Log"] = new("input"),
        ["LogSoftmax"] = new("input", "before operator set 13 over all dimensions from `axis` on"),
        ["MatMul"] = new("A, B", "any rank from 1; leading dimensions broadcast"),
        ["Max"] = new("all", "equal elements share the gradient"),
        ["MaxPool"] = new("X", "windows that do not overlap, no pads, no dilations, `ceil_mode` = 0"),
        ["Min"] = new("all", "equal elements share the gradient"),
        ["Mul"] = new("A, B"),
        ["Neg"] = new("X"),
        ["Pow"] = new("X, Y", "exponents may be whole numbers"),
        ["Reciprocal"] = new("X"),
        ["ReduceL2"] = new("data", NeedsAxes),
        ["ReduceLogSumExp"] = new("data", NeedsAxes),
        ["ReduceMax"] = new("data", Axes + "; equal elements share the gradient"),
        ["ReduceMean"] = new("data", Axes),
        ["ReduceMin"] = new("data", Axes + "; equal elements share the gradient"),
        ["ReduceProd"] = new("data", Axes),
        ["ReduceSum"] = new("data", "axes are known: an attribute before operator set 13, a constant since"),
        ["ReduceSumSquare"] = new("data", NeedsAxes),
        ["Relu"] = new("X"),
        ["Reshape"] = new("data", "the shape a constant, or the shape of another value"),
        ["Sigmoid"] = new("X"),
        ["Sin"] = new("input"),
        ["Softmax"] = new("input", "before operator set 13 over all dimensions from `axis` on"),
        ["SoftmaxCrossEntropyLoss"] = new("scores", "[N, classes], mean; no class weights, no `ignore_index`"),
        ["Softplus"] = new("X"),
        ["Sqrt"] = new("X"),
        ["Sub"] = new("A, B"),
        ["Tanh"] = new("input"),
        ["Transpose"] = new("data"),
    }.ToImmutableSortedDictionary(StringComparer.Ordinal);
}
