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
        ["AveragePool"] = new("X", "one or two dimensions of space; no dilations; not `count_include_pad` where a last window hangs over the padding"),
        ["BatchNormalization"] = new("X, scale, B", "for inference: `training_mode` = 0; mean and variance frozen"),
        ["Cast"] = new("input", "gradients pass between floating-point types and end at others"),
        ["CastLike"] = new("input", "gradients pass between floating-point types and end at others"),
        ["Clip"] = new("input", "bounds frozen, each may be left out"),
        ["Concat"] = new("all", "the joined dimension known"),
        ["Conv"] = new("X, W, B", "one or two dimensions of space, known"),
        ["ConvTranspose"] = new("X, W, B", "one or two dimensions of space, known; no `output_shape`, no `auto_pad` SAME"),
        ["Cos"] = new("input"),
        ["CumSum"] = new("x", "axis a constant"),
        ["DepthToSpace"] = new("input"),
        ["Div"] = new("A, B"),
        ["Dropout"] = new("data", "switched off; `training_mode` is refused"),
        ["Elu"] = new("X"),
        ["Erf"] = new("input"),
        ["Exp"] = new("input"),
        ["Expand"] = new("input", "shape known, apart from symbolic dimensions"),
        ["Flatten"] = new("input"),
        ["Gather"] = new("data"),
        ["GatherElements"] = new("data"),
        ["Gelu"] = new("X", "`approximate` none or tanh"),
        ["Gemm"] = new("A, B, C"),
        ["GlobalAveragePool"] = new("X", "space known"),
        ["GlobalMaxPool"] = new("X", "equal elements share the gradient"),
        ["HardSigmoid"] = new("X"),
        ["HardSwish"] = new("X"),
        ["Identity"] = new("input"),
        ["LayerNormalization"] = new("X, Scale, B", "only the first output leads to the loss"),
        ["LeakyRelu"] = new("X"),
        ["Log"] = new("input"),
        ["LogSoftmax"] = new("input", "before operator set 13 over all dimensions from `axis` on"),
        ["MatMul"] = new("A, B", "any rank from 1; leading dimensions broadcast"),
        ["Max"] = new("all", "equal elements share the gradient"),
        ["MaxPool"] = new("X", "one or two dimensions of space, known; `storage_order` = 0; of equal elements the first gets the gradient"),
        ["Min"] = new("all", "equal elements share the gradient"),
        ["Mul"] = new("A, B"),
        ["Neg"] = new("X"),
        ["Pad"] = new("data", "`mode` constant; pads known"),
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
        ["Reshape"] = new("data", "shape known, apart from symbolic dimensions"),
        ["Resize"] = new("X", "`mode` nearest, by whole factors along space; Upsample is taken as this"),
        ["Sigmoid"] = new("X"),
        ["Sin"] = new("input"),
        ["Slice"] = new("data", "starts, ends and steps known; an attribute before operator set 10; symbolic dimensions whole"),
        ["Softmax"] = new("input", "before operator set 13 over all dimensions from `axis` on"),
        ["SoftmaxCrossEntropyLoss"] = new("scores", "[N, classes], mean; no class weights"),
        ["Softplus"] = new("X"),
        ["SpaceToDepth"] = new("input"),
        ["Split"] = new("input", "the split dimension and the sizes known"),
        ["Sqrt"] = new("X"),
        ["Squeeze"] = new("data", "axes known: an attribute before operator set 13, a constant since"),
        ["Sub"] = new("A, B"),
        ["Tanh"] = new("input"),
        ["Tile"] = new("input", "repeats known"),
        ["Transpose"] = new("data"),
        ["Trilu"] = new("input", "diagonal a constant"),
        ["Unsqueeze"] = new("data", "axes known: an attribute before operator set 13, a constant since"),
        ["Where"] = new("X, Y"),
    }.ToImmutableSortedDictionary(StringComparer.Ordinal);
}
