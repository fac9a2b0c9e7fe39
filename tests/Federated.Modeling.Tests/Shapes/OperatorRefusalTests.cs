using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Shapes;

/// <summary>What an operator does not support is refused with the node's name, the operator and the attribute or input.</summary>
public sealed class OperatorRefusalTests
{
    private readonly GraphBuilder _graph = new("g");

    [Theory]
    [InlineData("Softmax", "axis", 2, "axis 2 lies outside -2 to 1")]
    [InlineData("LogSoftmax", "axis", -3, "axis -3 lies outside -2 to 1")]
    [InlineData("ReduceL2", "noop_with_empty_axes", 1, "attribute 'noop_with_empty_axes' is 1")]
    [InlineData("ReduceSumSquare", "noop_with_empty_axes", 1, "attribute 'noop_with_empty_axes' is 1")]
    [InlineData("ReduceLogSumExp", "noop_with_empty_axes", 1, "attribute 'noop_with_empty_axes' is 1")]
    public void Node_IntegerAttributeOutOfRange_IsRefused(string operatorType, string attribute, long value, string message) =>
        Refused(operatorType, message, NodeAttributes.None.With(attribute, value), Input("x", 2, 3));

    [Fact]
    public void Node_UnknownApproximation_IsRefused() =>
        Refused("Gelu", "attribute 'approximate' is 'sigmoid'", NodeAttributes.None.With("approximate", "sigmoid"), Input("x", 2, 3));

    [Fact]
    public void Node_NormalizationForTraining_IsRefused() => Refused(
        "BatchNormalization",
        "attribute 'training_mode' is 1",
        NodeAttributes.None.With("training_mode", 1),
        Input("x", 2, 3),
        Input("scale", 3),
        Input("shift", 3),
        Input("mean", 3),
        Input("variance", 3));

    [Fact]
    public void Node_OtherNumberOfChannels_IsRefused() => Refused(
        "BatchNormalization", "input 2 has shape [4]", NodeAttributes.None, Input("x", 2, 3), Input("scale", 3), Input("shift", 4), Input("mean", 3), Input("variance", 3));

    [Fact]
    public void Node_ScaleWiderThanTheNormalizedDimensions_IsRefused() =>
        Refused("LayerNormalization", "'scale' [3, 4] does not broadcast", NodeAttributes.None, Input("x", 2, 3, 4), Input("scale", 3, 4));

    [Fact]
    public void Node_BoundOfSeveralElements_IsRefused() => Refused("Clip", "the bound 'low' (input 1) has shape [2]", NodeAttributes.None, Input("x", 2), Input("low", 2));

    [Fact]
    public void Node_ProductWithAScalar_IsRefused() => Refused("MatMul", "operands [2, 3] and []; a scalar has no product of matrices", NodeAttributes.None, Input("x", 2, 3), Input("y"));

    [Theory]
    [InlineData("Clip", 1, "a trainable value lies behind the bound 'x1' (input 1)")]
    [InlineData("BatchNormalization", 3, "the running statistic 'x3' (input 3) is trainable")]
    [InlineData("BatchNormalization", 4, "the running statistic 'x4' (input 4) is trainable")]
    public void Append_InputThatHasNoGradient_IsRefused(string operatorType, int trainable, string message)
    {
        GraphValue[] inputs = operatorType == "Clip"
            ? [Input("x0", 2), Input("x1")]
            : [Input("x0", 2, 3), Input("x1", 3), Input("x2", 3), Input("x3", 3), Input("x4", 3)];
        GraphValue y = _graph.Append("the-node", operatorType, NodeAttributes.None, inputs, 1).Outputs[0]!;
        GraphValue loss = _graph.Node("ReduceSum", NodeAttributes.None.With("keepdims", 0), y);
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => GradientBuilder.Append(_graph, loss, [inputs[trainable]]));
        Assert.Contains($"Node 'the-node' ({operatorType}): {message}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Append_LossByTheMeanOfANormalization_IsRefused()
    {
        GraphValue x = Input("x", 2, 3);
        GraphNode node = _graph.Append("the-node", "LayerNormalization", NodeAttributes.None, [x, Input("scale", 3)], 2);
        GraphValue loss = _graph.Node("ReduceSum", NodeAttributes.None.With("keepdims", 0), node.Outputs[1]);
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => GradientBuilder.Append(_graph, loss, [x]));
        Assert.Contains("Node 'the-node' (LayerNormalization): the loss depends on the mean", error.Message, StringComparison.Ordinal);
    }

    private void Refused(string operatorType, string message, NodeAttributes attributes, params GraphValue[] inputs)
    {
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => _graph.Append("the-node", operatorType, attributes, inputs, 1));
        Assert.Contains($"Node 'the-node' ({operatorType}): {message}", error.Message, StringComparison.Ordinal);
    }

    private GraphValue Input(string name, params long[] shape) => _graph.Input(name, DataType.Float, TensorShape.OfSizes(shape));
}
