using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Graphs;

public sealed class GraphBuilderTests
{
    private readonly GraphBuilder _graph = new("g");

    [Fact]
    public void Node_SameOperatorTwice_GetsAnotherName()
    {
        GraphValue x = Input("x", 2);
        Assert.Equal("Relu/out", _graph.Node("Relu", x).Name);
        Assert.Equal("Relu_1/out", _graph.Node("Relu", x).Name);
    }

    [Fact]
    public void Constant_SameContent_IsShared() => Assert.Same(_graph.Int64Vector(1, 2), _graph.Int64Vector(1, 2));

    [Fact]
    public void Input_NameTaken_IsRefused()
    {
        _ = Input("x", 2);
        _ = Assert.Throws<ArgumentException>(() => Input("x", 2));
    }

    [Fact]
    public void Node_UnknownOperator_IsRefusedByNodeAndOperator()
    {
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => _graph.Node("Einsum", Input("x", 2)));
        Assert.Contains("Node 'Einsum' (Einsum)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DropDeadNodes_BranchNobodyUses_GoesWithItsConstants()
    {
        GraphValue x = Input("x", 2);
        GraphValue used = _graph.Node("Relu", x);
        _ = _graph.Node("Add", _graph.Node("Neg", x), _graph.Scalar(DataType.Float, 3));
        _graph.Output("y", used);
        _graph.DropDeadNodes();
        Assert.Equal("Relu", Assert.Single(_graph.Nodes).OperatorType);
        Assert.Empty(_graph.Constants);
        Assert.Equal("x", Assert.Single(_graph.Inputs).Name);
    }

    [Fact]
    public void ToModel_InputConstantAndSecondName_AreOutputsToo()
    {
        GraphValue x = Input("x", 2);
        GraphValue y = _graph.Node("Relu", x);
        _graph.Output("first", y);
        _graph.Output("second", y);
        _graph.Output("input", x);
        ModelProto model = GraphFile.ToModel(_graph);
        Assert.Equal(["first", "second", "input"], model.Graph.Output.Select(o => o.Name));
        Assert.Equal(["Relu", "Identity", "Identity"], model.Graph.Node.Select(n => n.OpType));
        Dictionary<string, Reference.Tensor> feeds = new() { ["x"] = new Reference.Tensor([-1, 2], [2]) };
        IReadOnlyDictionary<string, Reference.Tensor> run = Reference.OnnxRuntimeRun.Run(OnnxFile.Write(model), feeds);
        Assert.Equal([0, 2], run["second"].Values);
        Assert.Equal([-1, 2], run["input"].Values);
    }

    [Fact]
    public void FromModel_WhatToModelGave_IsTheSameModel()
    {
        GraphValue x = _graph.Input("x", DataType.Float, TensorShape.Of(Dimension.Batch, 3, 4));
        _graph.Output("y", _graph.Node("Reshape", x, _graph.Int64Vector(-1, 12)));
        _graph.Output("z", _graph.Node("Flatten", NodeAttributes.None.With("axis", 2), x));
        ModelProto model = GraphFile.ToModel(_graph);
        Assert.Equal(model, GraphFile.ToModel(GraphFile.FromModel(model)));
    }

    [Theory]
    [InlineData("com.microsoft", "x", "domain 'com.microsoft'")]
    [InlineData("", "elsewhere", "makes the value 'elsewhere'")]
    public void FromModel_BrokenNode_IsRefusedByName(string domain, string input, string message)
    {
        _graph.Output("y", _graph.Node("Relu", Input("x", 2)));
        ModelProto model = GraphFile.ToModel(_graph);
        model.Graph.Node[0].Domain = domain;
        model.Graph.Node[0].Input[0] = input;
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => GraphFile.FromModel(model));
        Assert.Contains("Node 'Relu' (Relu)", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromModel_ValueMadeTwice_IsRefused()
    {
        _graph.Output("y", _graph.Node("Relu", Input("x", 2)));
        ModelProto model = GraphFile.ToModel(_graph);
        model.Graph.Node.Add(model.Graph.Node[0].Clone());
        _ = Assert.Throws<OnnxFormatException>(() => GraphFile.FromModel(model));
    }

    private GraphValue Input(string name, long length) => _graph.Input(name, DataType.Float, TensorShape.Of(length));
}
