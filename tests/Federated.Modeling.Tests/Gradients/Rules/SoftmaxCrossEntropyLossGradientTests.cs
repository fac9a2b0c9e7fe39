using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Reference;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Gradients.Rules;

public sealed class SoftmaxCrossEntropyLossGradientTests
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(4, 3)]
    [InlineData(5, 1)]
    public void Backward_AnyBatch_MatchesDifferences(int batch, int classes) => GradientCheck.Run(
        (g, x) => g.Node("SoftmaxCrossEntropyLoss", x[0], Labels(g, batch, classes)), [batch, classes]);

    [Fact]
    public void Backward_LossUsedFurther_ScalesByTheOuterGradient() => GradientCheck.Run(
        (g, x) =>
        {
            GraphValue loss = g.Node("SoftmaxCrossEntropyLoss", x[0], Labels(g, 4, 3));
            return g.Node("Add", loss, loss);
        },
        [4, 3]);

    [Fact]
    public void Loss_UniformScoresOfTenClasses_IsLnTen()
    {
        GraphBuilder graph = new("loss");
        GraphValue scores = graph.Input("scores", DataType.Float, TensorShape.Of(Dimension.Batch, 10));
        GraphValue labels = graph.Input("labels", DataType.Int64, TensorShape.Of(Dimension.Batch));
        graph.Output("loss", graph.Node("SoftmaxCrossEntropyLoss", scores, labels));
        LossLowering.Apply(graph);
        Dictionary<string, Tensor> feeds = new() { ["scores"] = Tensor.Make([4, 10], _ => 0.7), ["labels"] = new Tensor([0, 3, 9, 5], [4]) };
        Assert.Equal(Math.Log(10), OnnxRuntimeRun.Run(graph, feeds)["loss"].Values[0], 6);
    }

    [Theory]
    [InlineData("sum")]
    [InlineData("none")]
    public void Backward_OtherReduction_IsRefusedByName(string reduction)
    {
        GraphBuilder graph = new("loss");
        GraphValue scores = graph.Input("scores", DataType.Float, TensorShape.Of(4, 10));
        GraphNode node = graph.Append(
            "head", "SoftmaxCrossEntropyLoss", NodeAttributes.None.With("reduction", reduction), [scores, Labels(graph, 4, 10)], 1);
        GraphValue loss = reduction == "none" ? graph.Node("ReduceSum", NodeAttributes.None.With("keepdims", 0), node.Outputs[0]) : node.Outputs[0]!;
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => GradientBuilder.Append(graph, loss, [scores]));
        Assert.Contains($"'head' (SoftmaxCrossEntropyLoss): attribute 'reduction' is '{reduction}'", error.Message, StringComparison.Ordinal);
    }

    private static GraphValue Labels(GraphBuilder graph, int batch, int classes) =>
        graph.Constant(TensorContent.Int64Vector([.. Enumerable.Range(0, batch).Select(i => (long)(i * 2 % classes))]));
}
