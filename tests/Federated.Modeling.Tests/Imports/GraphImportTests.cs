using Federated.Modeling.Graphs;
using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Reference;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Imports;

/// <summary>Graphs as exporters write them: shapes computed by nodes, weights as Constant nodes, older operator sets.</summary>
public sealed class GraphImportTests
{
    private readonly ModelProto _model = new()
    {
        IrVersion = 8,
        OpsetImport = { new OperatorSetIdProto { Version = 17 } },
        Graph = new GraphProto { Name = "g" },
    };

    private GraphProto File => _model.Graph;

    [Fact]
    public void Read_TargetOfAReshapeFromTheBatch_IsAConstant()
    {
        Input("x", null, 4, 6);
        Node("Shape", ["x"], "shape");
        Initializer("zero", TensorContent.Integers([0], []));
        Node("Gather", ["shape", "zero"], "batch", a => a.With("axis", 0));
        Initializer("axes", TensorContent.Int64Vector(0));
        Node("Unsqueeze", ["batch", "axes"], "batch-vector");
        Initializer("rest", TensorContent.Int64Vector(-1, 3, 2));
        Node("Concat", ["batch-vector", "rest"], "target", a => a.With("axis", 0));
        Node("Reshape", ["x", "target"], "y");
        GraphBuilder graph = Read("y");

        GraphNode reshape = Assert.Single(graph.Nodes);
        Assert.Equal([0, 4, 3, 2], TensorContent.ReadInt64(reshape.Input(1).Constant!));
        Assert.Equal("[x/0, 4, 3, 2]", reshape.Outputs[0]!.Shape.ToString());
    }

    [Fact]
    public void Read_HeadsMovedIntoTheBatchAndBack_KeepsTheBatch()
    {
        Input("x", null, 2, 5, 3);
        Node("Shape", ["x"], "shape");
        Initializer("first", TensorContent.Int64Vector(0));
        Initializer("two", TensorContent.Int64Vector(2));
        Node("Gather", ["shape", "first"], "batch");
        Node("Mul", ["batch", "two"], "rows");
        Initializer("matrix", TensorContent.Int64Vector(5, 3));
        Node("Concat", ["rows", "matrix"], "merged-shape", a => a.With("axis", 0));
        Node("Reshape", ["x", "merged-shape"], "merged");
        Node("Shape", ["merged"], "shape-2");
        Node("Gather", ["shape-2", "first"], "rows-2");
        Node("Div", ["rows-2", "two"], "batch-2");
        Initializer("heads", TensorContent.Int64Vector(2, 15));
        Node("Concat", ["batch-2", "heads"], "apart-shape", a => a.With("axis", 0));
        Node("Reshape", ["merged", "apart-shape"], "y");
        GraphBuilder graph = Read("y", new() { ["x"] = TensorShape.Of(Dimension.Batch, 2, 5, 3) });

        Assert.Equal(["Reshape", "Reshape"], graph.Nodes.Select(n => n.OperatorType));
        Assert.Equal("[N*2, 5, 3]", graph.Nodes[0].Outputs[0]!.Shape.ToString());
        Assert.Equal("[N, 2, 15]", graph.Outputs[0].Value.Shape.ToString());
    }

    // What an exporter writes for expand(-1, 4) where -1 keeps a size.
    [Fact]
    public void Read_ExpandThatKeepsSizesByMinusOne_FollowsTheBatch()
    {
        Input("x", null, 1);
        Initializer("wanted", TensorContent.Int64Vector(-1, 4));
        Node("Shape", ["wanted"], "rank");
        Node("ConstantOfShape", ["rank"], "ones", a => a.With("value", TensorContent.Int64Vector(1)));
        Initializer("minus-one", TensorContent.Integers([-1], []));
        Node("Mul", ["ones", "minus-one"], "kept");
        Node("Equal", ["wanted", "kept"], "keeps");
        Node("Where", ["keeps", "ones", "wanted"], "target");
        Node("Expand", ["x", "target"], "y");
        GraphBuilder graph = Read("y");

        Assert.Equal([1, 4], TensorContent.ReadInt64(Assert.Single(graph.Nodes).Input(1).Constant!));
        Assert.Equal("[x/0, 4]", graph.Outputs[0].Value.Shape.ToString());
    }

    [Fact]
    public void Read_CausalMask_IsOneConstant()
    {
        Input("x", null, 3);
        Node("Shape", ["x"], "shape");
        Initializer("last", TensorContent.Integers([-1], []));
        Node("Gather", ["shape", "last"], "length");
        Initializer("zero", TensorContent.Integers([0], []));
        Initializer("one", TensorContent.Integers([1], []));
        Node("Range", ["zero", "length", "one"], "positions");
        Initializer("column", TensorContent.Int64Vector(3, 1));
        Node("Reshape", ["positions", "column"], "rows");
        Node("LessOrEqual", ["positions", "rows"], "visible");
        Node("Cast", ["visible"], "mask", a => a.With("to", (long)DataType.Float));
        Node("MatMul", ["x", "mask"], "y");
        GraphBuilder graph = Read("y");

        Assert.Equal([1, 0, 0, 1, 1, 0, 1, 1, 1], TensorContent.ReadFloat(Assert.Single(graph.Nodes).Input(1).Constant!));
    }

    [Fact]
    public void Read_NodesThatChangeNothing_Disappear()
    {
        Input("x", null, 3);
        Node("Identity", ["x"], "same");
        Node("Dropout", ["same"], "dropped");
        Node("Cast", ["dropped"], "cast", a => a.With("to", (long)DataType.Float));
        Node("Relu", ["cast"], "y");
        GraphBuilder graph = Read("y");
        Assert.Same(graph.Inputs[0], Assert.Single(graph.Nodes).Inputs[0]);
    }

    [Fact]
    public void Read_WeightsOfEqualContent_StayTwoUnderTheirNames()
    {
        Input("x", null, 20);
        TensorProto zeros = TensorContent.Floating(DataType.Float, new double[20], [20]);
        Node("Constant", [], "bias-1", a => a.With("value", zeros));
        Initializer("bias-2", zeros.Clone());
        Node("Add", ["x", "bias-1"], "h");
        Node("Add", ["h", "bias-2"], "y");
        GraphBuilder graph = Read("y");
        Assert.Equal(["bias-1", "bias-2"], graph.Constants.Select(c => c.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Read_ArithmeticOfWeights_IsNotFolded()
    {
        Input("x", null, 20);
        Initializer("scale", TensorContent.Floating(DataType.Float, [.. Enumerable.Range(0, 20).Select(i => (double)i)], [20]));
        Node("Sqrt", ["scale"], "root");
        Node("Mul", ["x", "root"], "y");
        Assert.Equal(["Sqrt", "Mul"], Read("y").Nodes.Select(n => n.OperatorType));
    }

    // The exponents of ALiBi's slopes, as exporters write them: whole numbers under a floating-point base.
    [Fact]
    public void Read_PowOfANumberByWholeNumbers_IsTheConstantThatARunGives()
    {
        Input("x", null, 4);
        Initializer("half", TensorContent.Floating(DataType.Float, [0.5], []));
        Initializer("one", TensorContent.Integers([1], []));
        Initializer("five", TensorContent.Integers([5], []));
        Node("Range", ["one", "five", "one"], "steps");
        Node("Pow", ["half", "steps"], "slopes");
        Node("Mul", ["x", "slopes"], "y");

        Assert.Equal([0.5f, 0.25f, 0.125f, 0.0625f], TensorContent.ReadFloat(Assert.Single(Read("y").Nodes).Input(1).Constant!));
    }

    [Fact]
    public void Read_PowOfWholeNumbersByANumber_IsTheConstantThatARunGives()
    {
        Input("x", null, 3);
        Initializer("bases", TensorContent.Int64Vector(3, -2, 10));
        Initializer("exponents", TensorContent.Floating(DataType.Float, [2, 3, 0.5], [3]));
        Node("Pow", ["bases", "exponents"], "powers");
        Node("Cast", ["powers"], "numbers", a => a.With("to", (long)DataType.Float));
        Node("Mul", ["x", "numbers"], "y");

        Assert.Equal([9f, -8f, 3f], TensorContent.ReadFloat(Assert.Single(Read("y").Nodes).Input(1).Constant!));
    }

    [Theory]
    [InlineData(0, new float[] { 1, 2, 3, 5, 7, 9 })]
    [InlineData(-1, new float[] { 1, 3, 6, 4, 9, 15 })]
    public void Read_CumSum_IsTheConstantThatARunGives(int axis, float[] expected)
    {
        Input("x", 2, 3);
        Initializer("numbers", TensorContent.Floating(DataType.Float, [1, 2, 3, 4, 5, 6], [2, 3]));
        Initializer("axis", TensorContent.Integers([axis], []));
        Node("CumSum", ["numbers", "axis"], "sums");
        Node("Mul", ["x", "sums"], "y");

        Assert.Equal(expected, TensorContent.ReadFloat(Assert.Single(Read("y").Nodes).Input(1).Constant!));
    }

    // Each element once: added up anew for every element, so many would take hours.
    [Fact]
    public void Read_CumSumOfAMillionElements_IsDoneAtOnce()
    {
        Input("x", null, 1);
        Initializer("size", TensorContent.Int64Vector(1 << 20));
        Node("ConstantOfShape", ["size"], "ones", a => a.With("value", TensorContent.Int64Vector(1)));
        Initializer("axis", TensorContent.Integers([0], []));
        Node("CumSum", ["ones", "axis"], "sums");
        Initializer("last", TensorContent.Integers([-1], []));
        Node("Gather", ["sums", "last"], "sum");
        Node("Cast", ["sum"], "number", a => a.With("to", (long)DataType.Float));
        Node("Mul", ["x", "number"], "y");

        Assert.Equal([1 << 20], TensorContent.ReadFloat(Assert.Single(Read("y").Nodes).Input(1).Constant!));
    }

    [Theory]
    [InlineData(1, "Relu")]
    [InlineData(2, "Neg")]
    public void Read_IfOnAKnownShape_TakesTheBranch(int size, string expected)
    {
        Input("x", null, size);
        Node("Shape", ["x"], "shape");
        Initializer("last", TensorContent.Integers([-1], []));
        Node("Gather", ["shape", "last"], "length");
        Initializer("one", TensorContent.Integers([1], []));
        Node("Equal", ["length", "one"], "is-one");
        NodeProto choice = new() { OpType = "If", Name = "choice", Input = { "is-one" }, Output = { "y" } };
        choice.Attribute.Add(new AttributeProto { Name = "then_branch", Type = AttributeProto.Types.AttributeType.Graph, G = BranchOf("Relu", "then") });
        choice.Attribute.Add(new AttributeProto { Name = "else_branch", Type = AttributeProto.Types.AttributeType.Graph, G = BranchOf("Neg", "else") });
        File.Node.Add(choice);
        Assert.Equal(expected, Assert.Single(Read("y").Nodes).OperatorType);
    }

    // Operator set 9: lists as attributes, Upsample, and padding left to the runtime.
    [Fact]
    public void Read_OperatorSet9_RunsAsThePresentOne()
    {
        _model.OpsetImport[0].Version = 9;
        Input("x", 2, 1, 5, 4);
        Node("Slice", ["x"], "cut", a => a.With("axes", [2]).With("starts", [1]).With("ends", [4]));
        Node("Pad", ["cut"], "padded", a => a.With("pads", [0, 0, 0, 1, 0, 0, 0, 1]).With("value", 2f));
        Initializer("scales", TensorContent.Floating(DataType.Float, [1, 1, 2, 1], [4]));
        Node("Upsample", ["padded", "scales"], "larger", a => a.With("mode", "nearest"));
        Node("MaxPool", ["larger"], "pooled", a => a.With("kernel_shape", [2, 2]).With("auto_pad", "SAME_UPPER"));
        Node("Squeeze", ["pooled"], "squeezed", a => a.With("axes", [1]));
        Node("Unsqueeze", ["squeezed"], "y", a => a.With("axes", [0]));
        Dictionary<string, Tensor> feeds = new() { ["x"] = Gradients.GradientCheck.Random(2, 1, 5, 4) };
        File.Output.Add(new ValueInfoProto { Name = "y", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float } } });

        Tensor expected = OnnxRuntimeRun.Run(OnnxFile.Write(_model), feeds)["y"];
        GraphBuilder graph = GraphImport.Read(OnnxFile.Read(OnnxFile.Write(_model)));

        Gradients.GradientCheck.Same(expected, OnnxRuntimeRun.Run(graph, feeds)["y"], 1e-6, "y");
    }

    [Fact]
    public void Read_ShapeAgainstTheFile_IsRefused()
    {
        Input("x", null, 3);
        Node("Relu", ["x"], "y");
        Assert.Contains("'x' is given the shape [N, 4]", Refused(new() { ["x"] = TensorShape.Of(Dimension.Batch, 4) }), StringComparison.Ordinal);
        Assert.Contains("'z', which is no input", Refused(new() { ["z"] = TensorShape.Of(1) }), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OperatorThatIsNotSupported_IsRefusedByNodeAndOperator()
    {
        Input("x", null, 3);
        Node("Einsum", ["x"], "y", a => a.With("equation", "ij->ji"));
        Assert.Contains("Node 'Einsum-y' (Einsum)", Refused([]), StringComparison.Ordinal);
    }

    private static GraphProto BranchOf(string operatorType, string name) => new()
    {
        Name = name,
        Node = { new NodeProto { OpType = operatorType, Input = { "x" }, Output = { $"{name}-y" } } },
        Output = { new ValueInfoProto { Name = $"{name}-y" } },
    };

    private void Input(string name, params long?[] shape)
    {
        TensorShapeProto proto = new();
        proto.Dim.AddRange(shape.Select(d => d is { } size
            ? new TensorShapeProto.Types.Dimension { DimValue = size }
            : new TensorShapeProto.Types.Dimension { DimParam = $"{name}/0" }));
        TypeProto.Types.Tensor type = new() { ElemType = (int)DataType.Float, Shape = proto };
        File.Input.Add(new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = type } });
    }

    private void Initializer(string name, TensorProto content)
    {
        content.Name = name;
        File.Initializer.Add(content);
    }

    private void Node(string operatorType, string[] inputs, string output, Func<NodeAttributes, NodeAttributes>? attributes = null)
    {
        NodeProto node = new() { OpType = operatorType, Name = $"{operatorType}-{output}", Input = { inputs }, Output = { output } };
        node.Attribute.AddRange((attributes?.Invoke(NodeAttributes.None) ?? NodeAttributes.None).ToProtos());
        File.Node.Add(node);
    }

    private GraphBuilder Read(string output, Dictionary<string, TensorShape>? shapes = null)
    {
        File.Output.Add(new ValueInfoProto { Name = output });
        return GraphImport.Read(OnnxFile.Read(OnnxFile.Write(_model)), shapes);
    }

    private string Refused(Dictionary<string, TensorShape> shapes)
    {
        if (File.Output.Count == 0)
        {
            File.Output.Add(new ValueInfoProto { Name = "y" });
        }

        return Assert.Throws<OnnxFormatException>(() => GraphImport.Read(_model, shapes)).Message;
    }
}
