using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Gradients;

public sealed class GradientBuilderTests
{
    private readonly GraphBuilder _graph = new("g");

    [Fact]
    public void Append_OperatorWithoutRule_IsRefusedByNodeAndOperator()
    {
        GraphValue x = Input("x", 1, 4);
        GraphValue y = _graph.Append("direction", "Sign", NodeAttributes.None, [x], 1).Outputs[0]!;
        Refused("Node 'direction' (Sign): no gradient rule", y, x);
    }

    [Fact]
    public void Append_OperatorWithoutRuleBeforeNothingTrainable_IsPassedOver()
    {
        GraphValue w = Input("w", 4, 1);
        GraphValue y = _graph.Node("MatMul", _graph.Node("Sign", Input("x", 1, 4)), w);
        GraphValue gradient = Assert.Single(GradientBuilder.Append(_graph, Scalar(y), [w]));
        Assert.Equal(w.Shape, gradient.Shape);
    }

    [Fact]
    public void Append_InputThatNeedsNoGradient_GetsNoNodes()
    {
        GraphValue w = Input("w", 4, 1);
        _ = GradientBuilder.Append(_graph, Scalar(_graph.Node("MatMul", Input("x", 1, 4), w)), [w]);
        Assert.Equal(["MatMul", "Reshape", "Reshape", "Reshape", "Gemm"], _graph.Nodes.Select(n => n.OperatorType));
    }

    [Fact]
    public void Append_RuleOfTheCaller_IsUsed()
    {
        GraphValue x = Input("x", 1, 1);
        GraphValue loss = Scalar(_graph.Node("Exp", x));
        _ = GradientBuilder.Append(_graph, loss, [x], GradientRules.Default.With(new ExpRule()));
        Assert.Equal("Mul", _graph.Nodes[^1].OperatorType);
    }

    [Fact]
    public void Append_LossWithoutTheParameter_NamesIt()
    {
        GraphValue lonely = Input("lonely", 2);
        GraphValue x = Input("x", 1, 1);
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => GradientBuilder.Append(_graph, Scalar(_graph.Node("Relu", x)), [x, lonely]));
        Assert.Contains("'lonely'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Append_LossThatIsNoScalar_IsRefused()
    {
        GraphValue x = Input("x", 2);
        Refused("has shape [2]", _graph.Node("Relu", x), x, scalar: false);
    }

    [Fact]
    public void Append_UnknownIfBroadcast_IsRefusedByName()
    {
        GraphValue x = _graph.Input("x", DataType.Float, TensorShape.Of(Dimension.Batch));
        GraphValue y = _graph.Node("Add", x, Input("b", 3));
        Refused("Node 'Add' (Add): dimension N of 'x' may be broadcast to 3", y, x);
    }

    private GraphValue Input(string name, params long[] shape) => _graph.Input(name, DataType.Float, TensorShape.OfSizes(shape));

    private GraphValue Scalar(GraphValue y)
    {
        long length = y.Shape.KnownProduct;
        GraphValue row = _graph.Node("Reshape", y, _graph.Int64Vector(1, length));
        GraphValue sum = length == 1
            ? row
            : _graph.Node("MatMul", row, _graph.Constant(TensorContent.Floating(DataType.Float, [.. Enumerable.Repeat(1d, (int)length)], [length, 1])));
        return _graph.Node("Reshape", sum, _graph.Constant(TensorContent.Integers([], [0])));
    }

    private void Refused(string message, GraphValue y, GraphValue parameter, bool scalar = true)
    {
        GraphValue loss = scalar ? Scalar(y) : y;
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => GradientBuilder.Append(_graph, loss, [parameter]));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private sealed class ExpRule : IGradientRule
    {
        public string OperatorType => "Exp";

        public void Backward(GradientContext context) =>
            context.Accumulate(0, context.Graph.Node("Mul", context.OutputGradient, context.RequireOutput(0)));
    }
}
