using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Cases;
using Federated.Shared.Randomness;
using Federated.Training.Torch.Operators;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Training.Torch.Tests.Operators;

/// <summary>Every operator against ONNX Runtime, on a graph of that operator alone.</summary>
public sealed class OperatorTableTests
{
    /// <summary>Each case builds the value to compare from x [2, 4, 6, 5] and y of the same shape, both standard normal.</summary>
    private static readonly Dictionary<string, Func<GraphBuilder, GraphValue, GraphValue, GraphValue>> Cases = new(StringComparer.Ordinal)
    {
        ["Add"] = (g, x, y) => g.Node("Add", x, y),
        ["Add, broadcast"] = (g, x, y) => g.Node("Add", x, g.Constant(TensorContent.Floating(DataType.Float, [1, 2, 3, 4, 5], [5]))),
        ["Sub"] = (g, x, y) => g.Node("Sub", x, y),
        ["Mul"] = (g, x, y) => g.Node("Mul", x, y),
        ["Div"] = (g, x, y) => g.Node("Div", x, g.Node("Exp", y)),
        ["Exp"] = (g, x, y) => g.Node("Exp", x),
        ["Neg"] = (g, x, y) => g.Node("Neg", x),
        ["Relu"] = (g, x, y) => g.Node("Relu", x),
        ["Identity"] = (g, x, y) => g.Node("Identity", x),
        ["Equal"] = (g, x, y) => AsFloat(g, g.Node("Equal", g.Node("Relu", x), g.Node("Relu", y))),
        ["Cast, there and back"] = (g, x, y) => AsFloat(g, g.Node("Cast", Attribute("to", (long)DataType.Int64), g.Node("Mul", x, g.Scalar(DataType.Float, 10)))),
        ["And"] = (g, x, y) => Masked(g, x, g.Node("And", Positive(g, x), Positive(g, y))),
        ["Or"] = (g, x, y) => Masked(g, x, g.Node("Or", Positive(g, x), Positive(g, y))),
        ["Xor"] = (g, x, y) => Masked(g, x, g.Node("Xor", Positive(g, x), Positive(g, y))),
        ["Not"] = (g, x, y) => Masked(g, x, g.Node("Not", Positive(g, x))),
        ["Greater"] = (g, x, y) => Masked(g, x, g.Node("Greater", x, y)),
        ["GreaterOrEqual"] = (g, x, y) => Masked(g, x, g.Node("GreaterOrEqual", x, y)),
        ["Less"] = (g, x, y) => Masked(g, x, g.Node("Less", x, y)),
        ["LessOrEqual"] = (g, x, y) => Masked(g, x, g.Node("LessOrEqual", x, y)),
        ["IsNaN"] = (g, x, y) => Masked(g, y, g.Node("IsNaN", g.Node("Div", g.Node("Relu", x), g.Node("Relu", x)))),
        ["Shape"] = (g, x, y) => AsFloat(g, g.Node("Shape", Attribute("start", 1).With("end", -1), x)),
        ["Size"] = (g, x, y) => AsFloat(g, g.Node("Size", x)),
        ["Range"] = (g, x, y) => AsFloat(g, g.Node("Range", Whole(g, 2), g.Node("Size", x), Whole(g, 7))),
        ["ConstantOfShape"] = (g, x, y) => g.Node(
            "ConstantOfShape", NodeAttributes.None.With("value", TensorContent.Floating(DataType.Float, [3], [1])), g.Node("Shape", x)),
        ["Reshape, to a computed shape"] = (g, x, y) => g.Node("Reshape", g.Node("Flatten", x), g.Node("Shape", y)),
        ["ArgMax"] = (g, x, y) => AsFloat(g, g.Node("ArgMax", Attribute("axis", 1), x)),
        ["ArgMax, dimension dropped"] = (g, x, y) => AsFloat(g, g.Node("ArgMax", Attribute("axis", -1).With("keepdims", 0), x)),
        ["ReduceSum, all"] = (g, x, y) => g.Node("ReduceSum", Attribute("keepdims", 0), x),
        ["ReduceSum, axes"] = (g, x, y) => g.Node("ReduceSum", x, g.Int64Vector(1, -1)),
        ["ReduceSum, none"] = (g, x, y) => g.Node("ReduceSum", Attribute("noop_with_empty_axes", 1), x),
        ["ReduceMean, all"] = (g, x, y) => g.Node("ReduceMean", x),
        ["ReduceMean, axes"] = (g, x, y) => g.Node("ReduceMean", Attribute("keepdims", 0), x, g.Int64Vector(0, 2)),
        ["Softmax"] = (g, x, y) => g.Node("Softmax", x),
        ["LogSoftmax"] = (g, x, y) => g.Node("LogSoftmax", Attribute("axis", 1), x),
        ["Flatten"] = (g, x, y) => g.Node("Flatten", x),
        ["Flatten, axis -2"] = (g, x, y) => g.Node("Flatten", Attribute("axis", -2), x),
        ["Flatten, axis 0"] = (g, x, y) => g.Node("Flatten", Attribute("axis", 0), x),
        ["Reshape"] = (g, x, y) => g.Node("Reshape", x, g.Int64Vector(0, -1, 10)),
        ["Transpose"] = (g, x, y) => g.Node("Transpose", NodeAttributes.None.With("perm", [2, 0, 3, 1]), x),
        ["Transpose, reversed"] = (g, x, y) => g.Node("Transpose", x),
        ["Unsqueeze"] = (g, x, y) => g.Node("Unsqueeze", x, g.Int64Vector(-1, 1)),
        ["GatherElements"] = (g, x, y) => g.Node("GatherElements", Attribute("axis", 3), x, g.Node("ArgMax", Attribute("axis", 3), y)),
        ["MatMul"] = (g, x, y) => g.Node("MatMul", x, g.Node("Transpose", NodeAttributes.None.With("perm", [0, 1, 3, 2]), y)),
        ["Gemm"] = (g, x, y) => g.Node("Gemm", Attribute("transB", 1), g.Node("Flatten", x), g.Node("Flatten", y)),
        ["Gemm, scaled sum"] = (g, x, y) => g.Node(
            "Gemm",
            Attribute("transA", 1).With("alpha", 0.5f).With("beta", -2f),
            g.Node("Flatten", x),
            g.Node("Flatten", y),
            g.Node("Reshape", g.Node("ReduceSum", x, g.Int64Vector(0)), g.Int64Vector(1, 120))),
        ["Gemm, scaled"] = (g, x, y) => g.Node("Gemm", Attribute("transA", 1).With("alpha", 3f), g.Node("Flatten", x), g.Node("Flatten", y)),
        ["Conv"] = (g, x, y) => g.Node("Conv", x, Kernel(g, 4)),
        ["Conv, bias, strides, dilations, equal pads"] = (g, x, y) => g.Node(
            "Conv",
            NodeAttributes.None.With("strides", [2, 1]).With("dilations", [1, 2]).With("pads", [1, 2, 1, 2]),
            x,
            Kernel(g, 4),
            g.Constant(TensorContent.Floating(DataType.Float, [5, -3], [2]))),
        ["Conv, groups, unequal pads"] = (g, x, y) => g.Node("Conv", Attribute("group", 2).With("pads", [0, 1, 2, 3]), x, Kernel(g, 2)),
        ["MaxPool"] = (g, x, y) => g.Node("MaxPool", NodeAttributes.None.With("kernel_shape", [2, 2]).With("strides", [2, 2]), x),
        ["MaxPool, pads"] = (g, x, y) => g.Node(
            "MaxPool", NodeAttributes.None.With("kernel_shape", [3, 2]).With("strides", [1, 2]).With("pads", [1, 0, 2, 1]), x),
        ["SoftmaxCrossEntropyLoss"] = (g, x, y) => g.Node("SoftmaxCrossEntropyLoss", Rows(g, x), Classes(g, y)),
        ["SoftmaxCrossEntropyLoss, sum"] = (g, x, y) => g.Node(
            "SoftmaxCrossEntropyLoss", NodeAttributes.None.With("reduction", "sum"), Rows(g, x), Classes(g, y)),
        ["SoftmaxCrossEntropyLoss, none"] = (g, x, y) => g.Node(
            "SoftmaxCrossEntropyLoss", NodeAttributes.None.With("reduction", "none"), Rows(g, x), Classes(g, y)),
    };

    public static TheoryData<string> CaseNames => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(CaseNames))]
    public void Run_AsOnnxRuntime_GivesTheSameShapeAndValues(string name)
    {
        long[] shape = [2, 4, 6, 5];
        float[] x = Normal("x", 240);
        float[] y = Normal("y", 240);
        GraphBuilder graph = new("operator");
        GraphValue xValue = graph.Input("x", DataType.Float, TensorShape.OfSizes(shape));
        GraphValue yValue = graph.Input("y", DataType.Float, TensorShape.OfSizes(shape));
        graph.Output("result", Cases[name](graph, xValue, yValue));

        (long[] expectedShape, float[] expected) = RunOnnxRuntime(graph, x, y, shape);
        (long[] actualShape, float[] actual) = RunTorch(graph, x, y, shape);

        Assert.Equal(expectedShape, actualShape);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-4 * (1 + Math.Abs(expected[i])), $"Element {i}: ONNX Runtime {expected[i]}, torch {actual[i]}.");
        }
    }

    [Fact]
    public void Operators_All_HaveACaseHereOrWithGradients() => Assert.Equal(
        OperatorTable.Operators,
        Cases.Keys.Select(k => k.Split(',')[0]).Concat(OperatorCases.All.Select(c => c.Operator)).Distinct().Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("ArgMax", "select_last_index", 1)]
    [InlineData("SoftmaxCrossEntropyLoss", "ignore_index", 2)]
    public void Bind_AttributeTheEngineLacks_IsRefusedByName(string operatorType, string attribute, long value)
    {
        GraphBuilder graph = new("operator");
        GraphValue x = graph.Input("x", DataType.Float, TensorShape.OfSizes([3, 2]));
        GraphValue labels = graph.Input("labels", DataType.Int64, TensorShape.OfSizes([3]));
        NodeAttributes attributes = Attribute(attribute, value);
        GraphNode node = graph.Append("the-node", operatorType, attributes, operatorType == "SoftmaxCrossEntropyLoss" ? [x, labels] : [x], 1);

        OnnxFormatException e = Assert.Throws<OnnxFormatException>(() => OperatorTable.Bind(node));

        Assert.Contains($"'the-node' ({operatorType})", e.Message, StringComparison.Ordinal);
        Assert.Contains(attribute, e.Message, StringComparison.Ordinal);
    }

    private static (long[] Shape, float[] Values) RunTorch(GraphBuilder graph, float[] x, float[] y, long[] shape)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Dictionary<GraphValue, torch.Tensor> constants = graph.Constants.ToDictionary(c => c, c => ElementTypes.ToTensor(c.Constant!, torch.CPU));
        try
        {
            torch.Tensor result = new TorchProgram(graph, ["result"], constants).Run([torch.tensor(x, shape), torch.tensor(y, shape)])[0];
            return (result.shape, result.contiguous().data<float>().ToArray());
        }
        finally
        {
            foreach (torch.Tensor constant in constants.Values)
            {
                constant.Dispose();
            }
        }
    }

    private static (long[] Shape, float[] Values) RunOnnxRuntime(GraphBuilder graph, float[] x, float[] y, long[] shape)
    {
        using InferenceSession session = new(OnnxFile.Write(GraphFile.ToModel(graph)));
        using OrtValue xValue = OrtValue.CreateTensorValueFromMemory(x, shape);
        using OrtValue yValue = OrtValue.CreateTensorValueFromMemory(y, shape);
        using RunOptions options = new();
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(
            options, new Dictionary<string, OrtValue> { ["x"] = xValue, ["y"] = yValue }, ["result"]);
        return (results[0].GetTensorTypeAndShape().Shape, results[0].GetTensorDataAsSpan<float>().ToArray());
    }

    private static float[] Normal(string name, int count)
    {
        SeededGenerator random = SeededGenerator.For(1, "test-operator", 0, name);
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.NextGaussian())];
    }

    private static NodeAttributes Attribute(string name, long value) => NodeAttributes.None.With(name, value);

    private static GraphValue Whole(GraphBuilder graph, long value) => graph.Constant(TensorContent.Integers([value], []));

    private static GraphValue Positive(GraphBuilder graph, GraphValue value) => graph.Node("Greater", value, graph.Scalar(DataType.Float, 0));

    private static GraphValue Masked(GraphBuilder graph, GraphValue value, GraphValue mask) => graph.Node("Where", mask, value, graph.Scalar(DataType.Float, -9));

    private static GraphValue AsFloat(GraphBuilder graph, GraphValue value) => graph.Node("Cast", Attribute("to", (long)DataType.Float), value);

    /// <summary>Two kernels of 3×2 elements over some channels.</summary>
    private static GraphValue Kernel(GraphBuilder graph, int channels)
    {
        float[] values = Normal("kernel", 2 * channels * 6);
        return graph.Constant(TensorContent.Floating(DataType.Float, [.. values.Select(v => (double)v)], [2, channels, 3, 2]));
    }

    /// <summary>[48, 5].</summary>
    private static GraphValue Rows(GraphBuilder graph, GraphValue x) => graph.Node("Reshape", x, graph.Int64Vector(48, 5));

    /// <summary>[48], each below 5.</summary>
    private static GraphValue Classes(GraphBuilder graph, GraphValue y) =>
        graph.Node("ArgMax", Attribute("axis", 1).With("keepdims", 0), Rows(graph, y));
}
