using Federated.Modeling.Graphs;
using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Gradients;
using Federated.Modeling.Tests.Reference;
using Google.Protobuf;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Imports;

/// <summary>A file with the older or fused node gives the same values in ONNX Runtime before and after it was read and written again.</summary>
public sealed class NodeRewritesTests
{
    private const string Fused = "com.microsoft";

    private static readonly NodeAttributes s_none = NodeAttributes.None;

    /// <summary>Each case: the version of the standard operators, the node, and the shapes of its inputs; an empty string leaves one out.</summary>
    private static readonly Dictionary<string, (int OperatorSet, string Domain, NodeAttributes Attributes, string[] Inputs)> s_cases = new(StringComparer.Ordinal)
    {
        ["Celu"] = (12, "", s_none.With("alpha", 0.7f), ["2,3"]),
        ["Clip"] = (10, "", s_none.With("min", -0.5f).With("max", 0.25f), ["2,3"]),
        ["Clip, low bound"] = (10, "", s_none.With("min", 0.1f), ["2,3"]),
        ["GRU"] = (14, "", s_none.With("hidden_size", 3), ["4,2,5", "1,9,5", "1,9,3", "1,18"]),
        ["GRU, linear first"] = (14, "", s_none.With("hidden_size", 3).With("linear_before_reset", 1), ["4,2,5", "1,9,5", "1,9,3", "1,18", "", "1,2,3"]),
        ["GRU, both ways"] = (14, "", s_none.With("hidden_size", 3).With("direction", "bidirectional"), ["4,2,5", "2,9,5", "2,9,3", "2,18", "", "2,2,3"]),
        ["GroupNormalization"] = (21, "", s_none.With("num_groups", 2).With("epsilon", 0.01f), ["2,6,4,5", "6", "6"]),
        ["GroupNormalization, one dimension"] = (21, "", s_none.With("num_groups", 3), ["2,3,4", "3", "3"]),
        ["InstanceNormalization"] = (11, "", s_none.With("epsilon", 0.01f), ["2,3,4,5", "3", "3"]),
        ["InstanceNormalization, one dimension"] = (21, "", s_none, ["2,3,4", "3", "3"]),
        ["LSTM"] = (14, "", s_none.With("hidden_size", 3), ["4,2,5", "1,12,5", "1,12,3"]),
        ["LSTM, one step"] = (14, "", s_none.With("hidden_size", 3), ["1,2,5", "1,12,5", "1,12,3", "1,24"]),
        ["LSTM, reverse"] = (7, "", s_none.With("hidden_size", 3).With("direction", "reverse"), ["4,2,5", "1,12,5", "1,12,3", "1,24", "", "1,2,3", "1,2,3"]),
        ["LSTM, both ways"] = (14, "", s_none.With("hidden_size", 3).With("direction", "bidirectional"), ["4,2,5", "2,12,5", "2,12,3", "2,24", "", "2,2,3", "2,2,3"]),
        ["LogSoftmax"] = (11, "", s_none, ["2,3,4"]),
        ["LpNormalization"] = (11, "", s_none, ["2,3,4"]),
        ["LpNormalization, p 1"] = (11, "", s_none.With("p", 1).With("axis", 1), ["2,3,4"]),
        ["Mean"] = (13, "", s_none, ["2,3", "3", "2,1"]),
        ["Mish"] = (18, "", s_none, ["2,3"]),
        ["Pad"] = (10, "", s_none.With("mode", "reflect").With("pads", [0, 0, 2, 0, 0, 3]), ["2,3,4"]),
        ["Pad, edge"] = (10, "", s_none.With("mode", "edge").With("pads", [0, 1, 2, 0, 0, 5]), ["2,3,4"]),
        ["Pad, constant"] = (10, "", s_none.With("pads", [0, 1, 2, 0, 0, 5]), ["2,3,4"]),
        ["PRelu"] = (11, "", s_none, ["2,3,4", "3,1"]),
        ["RNN"] = (14, "", s_none.With("hidden_size", 3), ["4,2,5", "1,3,5", "1,3,3", "1,6"]),
        ["RNN, rectified"] = (14, "", s_none.With("hidden_size", 3).With("activations", ["Relu"]), ["4,2,5", "1,3,5", "1,3,3", "1,6", "", "1,2,3"]),
        ["ReduceL1"] = (13, "", s_none.With("axes", [1]).With("keepdims", 0), ["2,3,4"]),
        ["ReduceL1, all"] = (18, "", s_none, ["2,3,4"]),
        ["ReduceLogSum"] = (13, "", s_none.With("axes", [-1, 0]), ["2,3,4"]),
        ["Selu"] = (11, "", s_none, ["2,3"]),
        ["Softsign"] = (11, "", s_none, ["2,3"]),
        ["Softmax"] = (11, "", s_none, ["2,3,4"]),
        ["Softmax, axis 0"] = (12, "", s_none.With("axis", 0), ["2,3"]),
        ["Softmax, axis -2"] = (12, "", s_none.With("axis", -2), ["2,3,4,2"]),
        ["Softmax, last axis"] = (12, "", s_none.With("axis", 2), ["2,3,4"]),
        ["Softmax, by axis"] = (13, "", s_none.With("axis", 1), ["2,3,4"]),
        ["ReduceL2"] = (13, "", s_none.With("axes", [-1, 0]), ["2,3,4"]),
        ["ReduceLogSumExp"] = (17, "", s_none.With("axes", [1]).With("keepdims", 0), ["2,3,4"]),
        ["ReduceMax"] = (11, "", s_none.With("axes", [-2]), ["2,3,4"]),
        ["ReduceMean"] = (17, "", s_none.With("axes", [1, 2]).With("keepdims", 0), ["2,3,4"]),
        ["ReduceMean, all"] = (17, "", s_none, ["2,3,4"]),
        ["ReduceMin"] = (12, "", s_none.With("axes", [0]), ["2,3,4"]),
        ["ReduceProd"] = (13, "", s_none.With("axes", [2]), ["2,3,4"]),
        ["ReduceSum"] = (12, "", s_none.With("axes", [0, 2]), ["2,3,4"]),
        ["ReduceSumSquare"] = (13, "", s_none.With("axes", [1]), ["2,3,4"]),
        ["RMSNormalization"] = (23, "", s_none.With("epsilon", 0.01f), ["2,3,4", "4"]),
        ["RMSNormalization, axis"] = (23, "", s_none.With("axis", 1), ["2,3,4", "3,4"]),
        ["SimplifiedLayerNormalization"] = (17, "", s_none.With("epsilon", 0.01f), ["2,3,4", "4"]),
        ["Sum"] = (13, "", s_none, ["2,3", "3", "2,1"]),
        ["Sum, one"] = (13, "", s_none, ["2,3"]),
        ["BiasGelu, " + Fused] = (17, Fused, s_none, ["2,3", "3"]),
        ["FastGelu, " + Fused] = (17, Fused, s_none, ["2,3", "3"]),
        ["FastGelu, no bias, " + Fused] = (17, Fused, s_none, ["2,3"]),
        ["FusedMatMul, " + Fused] = (17, Fused, s_none.With("transA", 1).With("transB", 1).With("alpha", 0.5f), ["2,3,4", "2,5,3"]),
        ["FusedMatMul, plain, " + Fused] = (17, Fused, s_none, ["2,3,4", "4,5"]),
        ["Gelu, " + Fused] = (17, Fused, s_none, ["2,3"]),
        ["QuickGelu, " + Fused] = (17, Fused, s_none, ["2,3"]),
        ["QuickGelu, alpha, " + Fused] = (17, Fused, s_none.With("alpha", 1.2f), ["2,3"]),
        ["SkipLayerNormalization, " + Fused] = (17, Fused, s_none.With("epsilon", 0.01f), ["2,3,4", "2,3,4", "4", "4", "4"]),
        ["SkipLayerNormalization, no shift, " + Fused] = (17, Fused, s_none, ["2,3,4", "2,3,4", "4", "", "4"]),
        ["SkipSimplifiedLayerNormalization, " + Fused] = (17, Fused, s_none.With("epsilon", 0.01f), ["2,3,4", "2,3,4", "4", "4"]),
        ["SkipSimplifiedLayerNormalization, no bias, " + Fused] = (17, Fused, s_none, ["2,3,4", "2,3,4", "4"]),
    };

    public static TheoryData<string> Names => [.. s_cases.Keys];

    // Of inputs near 0 an epsilon is a great part, so that another default would show.
    [Theory]
    [MemberData(nameof(Names))]
    public void Apply_OlderOrFusedNode_ComputesTheSame(string name)
    {
        foreach (double scale in new[] { 1, 0.001 })
        {
            ModelProto model = Model(name);
            Dictionary<string, Tensor> feeds = Feeds(model, scale);
            GraphBuilder graph = GraphFile.FromModel(model);
            IReadOnlyDictionary<string, Tensor> expected = OnnxRuntimeRun.Run(model.ToByteArray(), feeds);
            IReadOnlyDictionary<string, Tensor> actual = OnnxRuntimeRun.Run(graph, feeds);

            // ONNX Runtime's RNN approximates tanh.
            double tolerance = name.StartsWith("RNN", StringComparison.Ordinal) ? 1e-4 : 1e-5;
            GradientCheck.Same(expected["y"], actual["y"], tolerance * Math.Min(1, expected["y"].Values.Max(Math.Abs)), name);
            Assert.Equal(TensorShape.OfSizes(expected["y"].Shape.Select(d => (long)d)), graph.Outputs[0].Value.Shape);
        }
    }

    [Fact]
    public void Operators_All_HaveACase() => Assert.Subset(
        s_cases.Select(c => (c.Value.Domain, c.Key.Split(',')[0])).ToHashSet(), NodeRewrites.Operators.ToHashSet());

    [Theory]
    [InlineData("LSTM, both ways", 1)]
    [InlineData("LSTM, both ways", 2)]
    [InlineData("LSTM, reverse", 1)]
    [InlineData("LSTM, reverse", 2)]
    [InlineData("GRU, both ways", 1)]
    [InlineData("RNN", 1)]
    public void Apply_RecurrentStates_AreTheOtherOutputs(string name, int output)
    {
        ModelProto model = Model(name);
        model.Graph.Node[0].Output.Clear();
        model.Graph.Node[0].Output.AddRange([.. Enumerable.Repeat("", output), "y"]);
        Dictionary<string, Tensor> feeds = Feeds(model, 1);
        GradientCheck.Same(OnnxRuntimeRun.Run(model.ToByteArray(), feeds)["y"], OnnxRuntimeRun.Run(GraphFile.FromModel(model), feeds)["y"], 1e-6, name);
    }

    // What is constant in a file is cut into matrices of its own; what is trained is cut by nodes. Both compute the same.
    [Theory]
    [InlineData("GRU, both ways")]
    [InlineData("GRU, linear first")]
    [InlineData("LSTM, both ways")]
    [InlineData("RNN, rectified")]
    public void Apply_ConstantRecurrentWeights_ComputeTheSame(string name)
    {
        ModelProto model = Model(name);
        Dictionary<string, Tensor> feeds = Feeds(model, 1);
        Tensor expected = OnnxRuntimeRun.Run(model.ToByteArray(), feeds)["y"];
        foreach (string weight in new[] { "x1", "x2", "x3" })
        {
            TensorProto constant = TensorContent.Floating(DataType.Float, feeds[weight].Values, [.. feeds[weight].Shape.Select(d => (long)d)]);
            constant.Name = weight;
            model.Graph.Initializer.Add(constant);
            _ = model.Graph.Input.Remove(model.Graph.Input.Single(i => i.Name == weight));
        }

        GraphBuilder graph = GraphFile.FromModel(model);
        graph.DropDeadNodes();
        GradientCheck.Same(expected, OnnxRuntimeRun.Run(graph, feeds)["y"], 1e-6, name);
        Assert.Contains(graph.Constants, c => c.Name == "the-node.input.weight");
    }

    [Theory]
    [InlineData("LSTM", "input_forget", "attribute 'input_forget' is set")]
    [InlineData("GRU", "layout", "attribute 'layout' is set")]
    [InlineData("RNN", "direction", "attribute 'direction' is 'sideways'")]
    public void Apply_OtherRecurrence_IsRefusedByName(string name, string attribute, string message)
    {
        ModelProto model = Model(name);
        model.Graph.Node[0].Attribute.Add((attribute == "direction" ? s_none.With(attribute, "sideways") : s_none.With(attribute, 1)).ToProtos());
        Refused($"Node 'the-node' ({name}): {message}", model);
    }

    [Theory]
    [InlineData("wrap", "attribute 'mode' is 'wrap'")]
    [InlineData("reflect", "with mode 'reflect' dimension 2 of [2, 3, 4] is padded by 2 and 5; a known dimension and 0 to 3 are supported")]
    public void Apply_OtherPadding_IsRefusedByName(string mode, string message)
    {
        ModelProto model = Model("Pad");
        model.Graph.Node[0].Attribute.Single(a => a.Name == "mode").S = ByteString.CopyFromUtf8(mode);
        model.Graph.Node[0].Attribute.Single(a => a.Name == "pads").Ints[5] = 5;
        Refused($"Node 'the-node' (Pad): {message}", model);
    }

    [Fact]
    public void Apply_OpenSequence_IsRefusedByName()
    {
        ModelProto model = Model("LSTM");
        model.Graph.Input[0].Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimParam = "steps" };
        Refused("Node 'the-node' (LSTM): its sequence has steps steps; a number from 1 to 512", model);
    }

    [Fact]
    public void Apply_SumOfSkipLayerNormalization_IsItsFourthOutput()
    {
        ModelProto model = Model("SkipLayerNormalization, " + Fused);
        model.Graph.Node[0].Output.AddRange(["", "", "sum"]);
        model.Graph.Output[0].Name = "sum";
        Dictionary<string, Tensor> feeds = Feeds(model, 1);
        GradientCheck.Same(OnnxRuntimeRun.Run(model.ToByteArray(), feeds)["sum"], OnnxRuntimeRun.Run(GraphFile.FromModel(model), feeds)["sum"], 1e-6, "sum");
    }

    [Fact]
    public void Apply_OutputThatTheFormulaLacks_IsRefusedByName()
    {
        ModelProto model = Model("SkipLayerNormalization, " + Fused);
        model.Graph.Node[0].Output.Add("mean");
        Refused("Node 'the-node' (SkipLayerNormalization): output 1 ('mean') is not supported", model);
    }

    [Fact]
    public void Apply_OtherNorm_IsRefusedByName()
    {
        ModelProto model = Model("LpNormalization");
        model.Graph.Node[0].Attribute.Add(s_none.With("p", 3).ToProtos());
        Refused("Node 'the-node' (LpNormalization): attribute 'p' is 3", model);
    }

    [Fact]
    public void Apply_SumOverNoAxes_IsRefusedByName()
    {
        ModelProto model = Model("ReduceL1, all");
        model.Graph.Node[0].Attribute.Add(s_none.With("noop_with_empty_axes", 1).ToProtos());
        Refused("Node 'the-node' (ReduceL1): attribute 'noop_with_empty_axes' is 1", model);
    }

    [Fact]
    public void Apply_TransposedBatch_IsRefusedByName()
    {
        ModelProto model = Model("FusedMatMul, plain, " + Fused);
        model.Graph.Node[0].Attribute.Add(s_none.With("transBatchA", 1).ToProtos());
        Refused("Node 'the-node' (FusedMatMul): attribute 'transBatchA' is 1", model);
    }

    [Theory]
    [InlineData(18, 2, "before operator set 21 it has a scale for each group")]
    [InlineData(21, 4, "attribute 'num_groups' is 4")]
    public void Apply_OtherGroups_AreRefusedByName(int operatorSet, int groups, string message)
    {
        ModelProto model = Model("GroupNormalization");
        model.OpsetImport[0].Version = operatorSet;
        model.Graph.Node[0].Attribute.Single(a => a.Name == "num_groups").I = groups;
        Refused($"Node 'the-node' (GroupNormalization): {message}", model);
    }

    // The file's own names come first, even when a formula's nodes are named before them.
    [Fact]
    public void Apply_NameThatAFormulaWouldTake_StaysTheFiles()
    {
        ModelProto model = Model("Sum");
        model.Graph.Node.Add(new NodeProto { OpType = "Relu", Input = { "y" }, Output = { "Add/out" } });
        model.Graph.Output[0].Name = "Add/out";
        Assert.Equal("Add/out", GraphFile.FromModel(model).Outputs[0].Value.Name);
    }

    private static Dictionary<string, Tensor> Feeds(ModelProto model, double scale) => model.Graph.Input.ToDictionary(i => i.Name, i =>
    {
        Tensor standard = GradientCheck.Random([.. i.Type.TensorType.Shape.Dim.Select(d => (int)d.DimValue)]);
        bool positive = model.Graph.Node[0].OpType == "ReduceLogSum";
        return standard with { Values = [.. standard.Values.Select(v => (positive ? Math.Abs(v) : v) * scale)] };
    });

    private static void Refused(string message, ModelProto model) =>
        Assert.Contains(message, Assert.Throws<OnnxFormatException>(() => GraphFile.FromModel(model)).Message, StringComparison.Ordinal);

    /// <summary>A model of one node; its output is <c>y</c>.</summary>
    private static ModelProto Model(string name)
    {
        (int operatorSet, string domain, NodeAttributes attributes, string[] inputs) = s_cases[name];
        NodeProto node = new() { Name = "the-node", OpType = name.Split(',')[0], Domain = domain, Output = { "y" } };
        node.Attribute.AddRange(attributes.ToProtos());
        GraphProto graph = new() { Name = "g", Node = { node }, Output = { new ValueInfoProto { Name = "y", Type = Type(null) } } };
        for (int i = 0; i < inputs.Length; i++)
        {
            node.Input.Add(inputs[i].Length == 0 ? "" : $"x{i}");
            if (inputs[i].Length > 0)
            {
                graph.Input.Add(new ValueInfoProto { Name = $"x{i}", Type = Type(inputs[i]) });
            }
        }

        ModelProto model = new() { IrVersion = operatorSet > 21 ? 11 : 7, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = operatorSet } } };
        if (domain.Length > 0)
        {
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = 1 });
        }

        return model;
    }

    private static TypeProto Type(string? shape)
    {
        TypeProto type = new() { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float } };
        if (shape is not null)
        {
            type.TensorType.Shape = new TensorShapeProto();
            type.TensorType.Shape.Dim.AddRange(shape.Split(',').Select(d => new TensorShapeProto.Types.Dimension { DimValue = long.Parse(d) }));
        }

        return type;
    }
}
