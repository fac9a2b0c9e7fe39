using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Blocks laid out as channels: the gradient's channels become blocks again.</summary>
internal sealed class SpaceToDepthGradient : IGradientRule
{
    public string OperatorType => "SpaceToDepth";

    public void Backward(GradientContext context) => context.Accumulate(0, context.Graph.Node(
        "DepthToSpace", NodeAttributes.None.With("blocksize", context.Node.Attributes.IntegerOr("blocksize", 0)), context.OutputGradient));
}
