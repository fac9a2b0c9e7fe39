using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Gradients;
using Federated.Modeling.Tests.Reference;
using Federated.Shared.Models;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Imports;

/// <summary>Which weights <c>--trainable all</c> finds, and that what it finds has the gradient that differences of the loss give.</summary>
public sealed class TrainableWeightsTests
{
    private const string Fused = "com.microsoft";

    private static readonly PackageProvenance s_source = new("small.onnx", new string('a', 64), "test 1", 21);
    private static readonly NodeAttributes s_none = NodeAttributes.None;

    /// <summary>Each case: shape of an example, the nodes, and the shapes of the weights, which are w0, w1 and so on. The last node makes y [N, 3].</summary>
    private static readonly Dictionary<string, (int[] Example, NodeProto[] Nodes, int[][] Weights)> s_cases = new(StringComparer.Ordinal)
    {
        ["behind Transpose"] = ([4], [Node("Transpose", ["w0"], "turned", s_none.With("perm", [1, 0])), Node("MatMul", ["x", "turned"], "y")], [[3, 4]]),
        ["behind Identity and Transpose"] = (
            [4],
            [Node("Identity", ["w0"], "same"), Node("Transpose", ["same"], "turned"), Node("Identity", ["w1"], "shift"), Node("Gemm", ["x", "turned", "shift"], "y")],
            [[3, 4], [3]]),
        ["LSTM"] = (
            [5, 4],
            [.. Steps(), Node("LSTM", ["steps", "w0", "w1", "w2"], "", "last", s_none.With("hidden_size", 3)), Node("Squeeze", ["last", "axes"], "y")],
            [[1, 12, 4], [1, 12, 3], [1, 24]]),
        ["GRU"] = (
            [5, 4],
            [.. Steps(), Node("GRU", ["steps", "w0", "w1", "w2"], "", "last", s_none.With("hidden_size", 3)), Node("Squeeze", ["last", "axes"], "y")],
            [[1, 9, 4], [1, 9, 3], [1, 18]]),
        ["GRU, linear first"] = (
            [5, 4],
            [
                .. Steps(),
                Node("GRU", ["steps", "w0", "w1", "w2"], "", "last", s_none.With("hidden_size", 3).With("linear_before_reset", 1)),
                Node("Squeeze", ["last", "axes"], "y"),
            ],
            [[1, 9, 4], [1, 9, 3], [1, 18]]),
        ["RNN, without a bias"] = (
            [5, 4],
            [.. Steps(), Node("RNN", ["steps", "w0", "w1"], "", "last", s_none.With("hidden_size", 3)), Node("Squeeze", ["last", "axes"], "y")],
            [[1, 3, 4], [1, 3, 3]]),
        ["FusedMatMul"] = ([4], [Node("FusedMatMul", ["x", "w0"], "y", s_none.With("transB", 1).With("alpha", 0.5f), Fused)], [[3, 4]]),
        ["BiasGelu"] = ([3], [Node("BiasGelu", ["x", "w0"], "y", null, Fused)], [[3]]),
        ["FastGelu"] = ([3], [Node("FastGelu", ["x", "w0"], "y", null, Fused)], [[3]]),
        ["SkipLayerNormalization"] = (
            [3], [Node("Mul", ["x", "x"], "skip"), Node("SkipLayerNormalization", ["x", "skip", "w0", "w1", "w2"], "y", s_none.With("epsilon", 0.01f), Fused)], [[3], [3], [3]]),
        ["SkipSimplifiedLayerNormalization"] = (
            [3], [Node("Mul", ["x", "x"], "skip"), Node("SkipSimplifiedLayerNormalization", ["x", "skip", "w0", "w1"], "y", s_none.With("epsilon", 0.01f), Fused)], [[3], [3]]),
    };

    public static TheoryData<string> Names => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Import_AllOfAModel_TrainsEveryWeightAlongItsGradient(string name)
    {
        const float Step = 1e-2f;
        ImportResult result = OnnxImporter.Import(Model(name), s_source, new ImportOptions { Task = ModelTask.Classification, Trainable = "all" });
        ModelPackage package = result.Package;
        Assert.Equal(s_cases[name].Weights.Select((_, i) => $"w{i}"), result.Report.Trained);
        Assert.Empty(result.Report.Notes);

        IReadOnlyDictionary<string, Tensor> outputs = Run(package, package.GradientGraph, package.InitialAdapter);
        foreach (ParameterSpec parameter in package.Manifest.Layout.Parameters)
        {
            for (int element = 0; element < parameter.Length; element++)
            {
                double difference = (LossAt(Step) - LossAt(-Step)) / (2 * Step);
                Assert.Equal(difference, outputs[$"gradient/{parameter.Name}"].Values[element], 1e-3);

                double LossAt(float step)
                {
                    float[] moved = [.. package.InitialAdapter];
                    moved[parameter.Offset + element] += step;
                    return Run(package, package.EvaluationGraph, moved)["loss"].Values[0];
                }
            }
        }
    }

    // A token that is put before the others, as in a vision transformer, is not among what is taken for a weight; its owner is told.
    [Fact]
    public void Import_WeightThatNoLayerTakes_IsNamedInANote()
    {
        ModelProto model = Model("behind Transpose");
        NodeProto[] nodes = [Node("Sin", ["w1"], "waves"), Node("Mul", ["x", "waves"], "wide"), .. model.Graph.Node];
        nodes[^1].Input[0] = "wide";
        model.Graph.Node.Clear();
        model.Graph.Node.AddRange(nodes);
        model.Graph.Initializer.Add(Weight("w1", [4]));

        ImportReport all = OnnxImporter.Import(model, s_source, new ImportOptions { Task = ModelTask.Classification, Trainable = "all" }).Report;
        ImportReport some = OnnxImporter.Import(model, s_source, new ImportOptions { Task = ModelTask.Classification, Trainable = "w0" }).Report;

        Assert.Equal(["w0"], all.Trained);
        Assert.Contains("1 float32 tensors that --trainable finds stay as they are, as they feed no layer or normalization directly: w1.", all.Notes);
        Assert.Empty(some.Notes);
    }

    private static ModelProto Model(string name)
    {
        (int[] example, NodeProto[] nodes, int[][] weights) = s_cases[name];
        TensorShapeProto shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" } } };
        shape.Dim.AddRange(example.Select(d => new TensorShapeProto.Types.Dimension { DimValue = d }));
        GraphProto graph = new() { Name = "main", Output = { new ValueInfoProto { Name = "y" } } };
        graph.Input.Add(new ValueInfoProto { Name = "x", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float, Shape = shape } } });
        graph.Node.AddRange(nodes.Select(n => n.Clone()));
        graph.Initializer.AddRange(weights.Select((w, i) => Weight($"w{i}", w)));
        TensorProto axes = TensorContent.Int64Vector(0);
        axes.Name = "axes";
        graph.Initializer.Add(axes);
        return new ModelProto
        {
            IrVersion = 8,
            Graph = graph,
            OpsetImport = { new OperatorSetIdProto { Version = 17 }, new OperatorSetIdProto { Domain = Fused, Version = 1 } },
        };
    }

    private static NodeProto[] Steps() => [Node("Transpose", ["x"], "steps", s_none.With("perm", [1, 0, 2]))];

    private static NodeProto Node(string operatorType, string[] inputs, string output, NodeAttributes? attributes = null, string domain = "")
    {
        NodeProto node = new() { Name = $"/{output}/{operatorType}", OpType = operatorType, Domain = domain, Input = { inputs }, Output = { output } };
        node.Attribute.AddRange((attributes ?? s_none).ToProtos());
        return node;
    }

    private static NodeProto Node(string operatorType, string[] inputs, string first, string second, NodeAttributes attributes)
    {
        NodeProto node = Node(operatorType, inputs, first, attributes);
        node.Output.Add(second);
        return node;
    }

    private static TensorProto Weight(string name, int[] shape)
    {
        TensorProto weight = TensorContent.Floating(DataType.Float, GradientCheck.Random(shape).Values, [.. shape.Select(d => (long)d)]);
        weight.Name = name;
        return weight;
    }

    private static IReadOnlyDictionary<string, Tensor> Run(ModelPackage package, byte[] graph, float[] adapter)
    {
        ModelProto model = OnnxFile.Read(graph);
        ExternalWeights.Embed(model, _ => package.FrozenWeights);
        Dictionary<string, Tensor> feeds = new()
        {
            ["x"] = GradientCheck.Random([4, .. package.Manifest.Input.Shape]),
            ["labels"] = new Tensor([0, 1, 2, 1], [4]),
        };
        foreach (ParameterSpec parameter in package.Manifest.Layout.Parameters)
        {
            feeds.Add(parameter.Name, new Tensor([.. adapter.AsSpan(parameter.Offset, parameter.Length).ToArray().Select(v => (double)v)], [.. parameter.Shape]));
        }

        return OnnxRuntimeRun.Run(OnnxFile.Write(model), feeds);
    }
}
