using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Shapes;

public sealed class ShapeInferenceTests
{
    private readonly GraphBuilder _graph = new("g");

    [Fact]
    public void Node_SymbolicBatch_PassesThroughTheLayers()
    {
        GraphValue x = _graph.Input("x", DataType.Float, TensorShape.Of(Dimension.Batch, 3, 9, 7));
        GraphValue w = _graph.Input("w", DataType.Float, TensorShape.Of(4, 3, 3, 3));
        GraphValue conv = _graph.Node("Conv", NodeAttributes.None.With("strides", [2, 1]).With("pads", [1, 1, 1, 1]), x, w);
        Assert.Equal(TensorShape.Of(Dimension.Batch, 4, 5, 7), conv.Shape);
        GraphValue pool = _graph.Node("MaxPool", NodeAttributes.None.With("kernel_shape", [2, 2]).With("strides", [2, 2]), conv);
        Assert.Equal(TensorShape.Of(Dimension.Batch, 4, 2, 3), pool.Shape);
        Assert.Equal(TensorShape.Of(Dimension.Batch, 24), _graph.Node("Flatten", pool).Shape);
        Assert.Equal(TensorShape.Of(Dimension.Batch, 24), _graph.Node("Reshape", pool, _graph.Int64Vector(0, -1)).Shape);
        Assert.Equal(TensorShape.Of(Dimension.Batch, 2, 12), _graph.Node("Reshape", pool, _graph.Int64Vector(-1, 2, 12)).Shape);
    }

    [Theory]
    [InlineData(new long[] { 3, 1 }, new long[] { 1, 4 }, "[3, 4]")]
    [InlineData(new long[] { 4 }, new long[] { 2, 3, 4 }, "[2, 3, 4]")]
    [InlineData(new long[] { }, new long[] { 2 }, "[2]")]
    public void Broadcast_FittingShapes_GivesTheLarger(long[] a, long[] b, string expected) =>
        Assert.Equal(expected, TensorShape.Broadcast(TensorShape.OfSizes(a), TensorShape.OfSizes(b))?.ToString());

    [Fact]
    public void Broadcast_OtherSizesOrSymbols_IsNull()
    {
        Assert.Null(TensorShape.Broadcast(TensorShape.Of(2), TensorShape.Of(3)));
        Assert.Null(TensorShape.Broadcast(TensorShape.Of(Dimension.Batch), TensorShape.Of(Dimension.OfSymbol("M"))));
    }

    [Fact]
    public void Node_InnerDimensionsDiffer_IsRefusedByName() => Refused(
        "Node 'Gemm' (Gemm): the inner dimensions 3 and 4", () => _graph.Node("Gemm", Input("a", 2, 3), Input("b", 4, 5)));

    [Fact]
    public void Node_MixedTypes_IsRefusedByName() => Refused(
        "'Add' (Add): inputs 'a' (Float)", () => _graph.Node("Add", Input("a", 2), _graph.Scalar(DataType.Double, 1)));

    [Fact]
    public void Node_KernelLargerThanTheImage_IsRefusedByName() => Refused(
        "'Conv' (Conv): the kernel reaches over 5", () => _graph.Node("Conv", Input("x", 1, 1, 4, 4), Input("w", 1, 1, 5, 5)));

    [Fact]
    public void Node_ReshapeThatLosesElements_IsRefusedByName() => Refused(
        "'Reshape' (Reshape): [2, 3] does not fit into [5]", () => _graph.Node("Reshape", Input("x", 2, 3), _graph.Int64Vector(5)));

    private static void Refused(string message, Func<object> act) =>
        Assert.Contains(message, Assert.Throws<OnnxFormatException>(act).Message, StringComparison.Ordinal);

    private GraphValue Input(string name, params long[] shape) => _graph.Input(name, DataType.Float, TensorShape.OfSizes(shape));
}
