using Federated.Modeling.Graphs;
using Federated.Modeling.Imports;
using Federated.Modeling.Lora;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using Google.Protobuf;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Imports;

public sealed class OnnxImporterTests
{
    private static readonly PackageProvenance s_source = new("small.onnx", new string('a', 64), "test 1", 21);
    private static readonly PackageLora s_lora = new(2, 4, ".*", 1);

    [Fact]
    public void Import_Classifier_StatesWhatItFound()
    {
        ImportResult result = OnnxImporter.Import(Model(), s_source, Options() with { Lora = s_lora });
        PackageManifest manifest = result.Package.Manifest;

        Assert.Equal("small", manifest.Name);
        Assert.Equal(("x", ElementType.Float32), (manifest.Input.Name, manifest.Input.ElementType));
        Assert.Equal([20], manifest.Input.Shape);
        Assert.Equal((ElementType.Int64, 3), (manifest.Labels.ElementType, manifest.Labels.Classes));
        Assert.Equal(["first.lora_A.weight", "first.lora_B.weight", "layers.second.lora_A.weight", "layers.second.lora_B.weight"], manifest.Parameters.Select(p => p.Name));
        Assert.Equal((20 * 16) + (16 * 3), manifest.FullModelParameters);
        Assert.Equal(s_source with { Output = "y", Softmax = true }, manifest.Provenance);
        Assert.Equal(manifest.ToBytes(), PackageManifest.FromBytes(manifest.ToBytes()).ToBytes());
        Assert.Equal(["MatMul", "MatMul"], result.Report.Adapted.Select(a => a.Operator));
        Assert.Contains("Softmax", Assert.Single(result.Report.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Import_SameFileAndOptions_GivesTheSamePackage()
    {
        ModelPackage a = OnnxImporter.Import(Model(), s_source, Options() with { Lora = s_lora }).Package;
        ModelPackage b = OnnxImporter.Import(Model(), s_source, Options() with { Lora = s_lora }).Package;

        Assert.Equal(a.Manifest.ToBytes(), b.Manifest.ToBytes());
        Assert.Equal(a.FrozenWeights, b.FrozenWeights);
        Assert.Equal(a.InitialAdapter, b.InitialAdapter);
    }

    [Fact]
    public void Import_TrainableExpression_KeepsTheFilesValuesAndFreezesTheRest()
    {
        ImportResult result = OnnxImporter.Import(Model(), s_source, Options() with { Trainable = "^first" });

        Assert.Equal(["first.weight"], result.Package.Manifest.Parameters.Select(p => p.Name));
        Assert.Equal(Weights(20 * 16, 1), result.Package.InitialAdapter);
        Assert.Equal(16 * 3, result.Report.FrozenParameters);
    }

    // The offset of a regression's only output is a weight; the number that its input is multiplied with is none.
    [Fact]
    public void Import_WeightsOfOneElement_AreTrainedWhereTheyAreALayers()
    {
        GraphProto graph = new() { Name = "main" };
        graph.Input.Add(Input("x", "N", 4));
        graph.Initializer.Add(Weight("scale", [0.5f], 1));
        graph.Initializer.Add(Weight("head.weight", Weights(4, 1), 1, 4));
        graph.Initializer.Add(Weight("head.bias", [0.25f], 1));
        graph.Node.Add(new NodeProto { Name = "/Mul", OpType = "Mul", Input = { "x", "scale" }, Output = { "scaled" } });
        NodeProto head = new() { Name = "/head/Gemm", OpType = "Gemm", Input = { "scaled", "head.weight", "head.bias" }, Output = { "y" } };
        head.Attribute.Add(new AttributeProto { Name = "transB", Type = AttributeProto.Types.AttributeType.Int, I = 1 });
        graph.Node.Add(head);
        graph.Output.Add(new ValueInfoProto { Name = "y" });
        ModelProto model = new() { IrVersion = 8, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = 17 } } };

        ImportResult result = OnnxImporter.Import(model, s_source, Options() with { Task = ModelTask.Regression, Trainable = ".*" });

        Assert.Equal(["head.weight", "head.bias"], result.Package.Manifest.Parameters.Select(p => p.Name));
    }

    [Fact]
    public void Import_BothKinds_PutsFactorsBeforeWholeWeights()
    {
        ImportResult result = OnnxImporter.Import(Model(), s_source, Options() with { Lora = s_lora, Trainable = "onnx::" });

        Assert.Equal(["first.lora_A.weight", "first.lora_B.weight", "onnx::MatMul_7"], result.Package.Manifest.Parameters.Select(p => p.Name));
    }

    [Fact]
    public void Import_OpenDimension_AsksForTheShapeAndTakesIt()
    {
        ModelProto model = Model(open: true);

        Assert.Contains("--input-shape", Refusal(model, Options()), StringComparison.Ordinal);
        Assert.Equal([20], OnnxImporter.Import(model, s_source, Options() with { Lora = s_lora, InputShape = [20] }).Package.Manifest.Input.Shape);
    }

    [Fact]
    public void Import_SecondInput_AsksForItsValueAndFillsIt()
    {
        ModelProto model = Model();
        model.Graph.Input.Add(Input("mask", "N", 20));
        model.Graph.Node.Insert(0, new NodeProto { Name = "masking", OpType = "Mul", Input = { "x", "mask" }, Output = { "masked" } });
        model.Graph.Node[1].Input[0] = "masked";

        Assert.Contains("'x', 'mask'", Refusal(model, Options()), StringComparison.Ordinal);
        Assert.Contains("--fill mask=VALUE", Refusal(model, Options() with { Input = "x" }), StringComparison.Ordinal);
        ImportOptions filled = Options() with { Lora = s_lora, Fill = new Dictionary<string, double> { ["mask"] = 1 } };
        Assert.Equal("x", OnnxImporter.Import(model, s_source, filled).Package.Manifest.Input.Name);
    }

    [Fact]
    public void Import_FillThatSuitsNothing_IsRefused()
    {
        Assert.Contains(
            "--fill names 'other', which is no input of the model; its inputs are 'x'",
            Refusal(Model(), Options() with { Fill = new Dictionary<string, double> { ["other"] = 1 } }),
            StringComparison.Ordinal);
        Assert.Contains("every input", Refusal(Model(), Options() with { Fill = new Dictionary<string, double> { ["x"] = 1 } }), StringComparison.Ordinal);
    }

    [Fact]
    public void Import_OutputOfNoInput_IsRefused()
    {
        ModelProto model = Model();
        model.Graph.Node[0].Input[0] = "first.weight";

        Assert.Contains("depends on no input", Refusal(model, Options()), StringComparison.Ordinal);
    }

    // Nothing is frozen that could be stored in fewer bits.
    [Fact]
    public void Import_BitsOfABaseThatIsTrained_AreRefused() => Assert.Contains(
        "--base-bits is 8",
        Assert.Throws<ArgumentException>(() => OnnxImporter.Import(Model(), s_source, Options() with { Trainable = "all", BaseBits = 8 })).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Import_NoLayerToAdapt_SaysSo()
    {
        GraphProto graph = new() { Name = "main" };
        graph.Input.Add(Input("x", "N", 4));
        graph.Node.Add(Node("Relu", ["x"], "y"));
        graph.Output.Add(new ValueInfoProto { Name = "y" });
        ModelProto model = new() { IrVersion = 8, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = 17 } } };

        string message = Assert.Throws<ArgumentException>(() => OnnxImporter.Import(model, s_source, Options() with { Lora = s_lora })).Message;

        Assert.Contains("The model has no layer that can", message, StringComparison.Ordinal);
    }

    // Two obstacles of two kinds: both are named, so that nobody finds them one by one.
    [Fact]
    public void Import_UnknownOperators_NamesAllAtOnce()
    {
        ModelProto model = Model();
        foreach (string name in new[] { "odd", "odder" })
        {
            model.Graph.Node.Add(new NodeProto { Name = name, OpType = "Einsum", Input = { model.Graph.Output[0].Name }, Output = { $"{name}_out" } });
            model.Graph.Output[0].Name = $"{name}_out";
        }

        model.Graph.Node.Add(new NodeProto { OpType = "Einsum", Input = { model.Graph.Output[0].Name }, Output = { "unnamed_out" } });
        model.Graph.Output[0].Name = "unnamed_out";

        string refusal = Refusal(model, Options());

        Assert.Contains("'odd' (Einsum)", refusal, StringComparison.Ordinal);
        Assert.Contains("The node of 'unnamed_out' (Einsum)", refusal, StringComparison.Ordinal);
        Assert.Contains("'odder' (Einsum)", refusal, StringComparison.Ordinal);
        Assert.Contains("docs/MODELS.md", refusal, StringComparison.Ordinal);
    }

    // What later operator sets no longer have is no unknown operator.
    [Fact]
    public void Import_ScatterAndUpsample_AreTakenAsTheirSuccessors()
    {
        GraphProto graph = new() { Name = "main" };
        graph.Input.Add(Input("x", "N", 4));
        graph.Initializer.Add(Weight("first.weight", Weights(4 * 6, 1), 4, 6));
        graph.Initializer.Add(Weight("marks", [0, 1], 1, 2));
        TensorProto places = TensorContent.Integers([0, 2], [1, 2]);
        places.Name = "places";
        graph.Initializer.Add(places);
        graph.Initializer.Add(Weight("scales", [1, 1, 1, 2], 4));
        graph.Initializer.Add(Weight("second.weight", Weights(12 * 3, 2), 12, 3));
        graph.Node.Add(Node("Scatter", ["x", "places", "marks"], "marked", NodeAttributes.None.With("axis", 1)));
        graph.Node.Add(Node("MatMul", ["marked", "first.weight"], "hidden"));
        graph.Node.Add(Node("Unsqueeze", ["hidden"], "image", NodeAttributes.None.With("axes", [1, 2])));
        graph.Node.Add(Node("Upsample", ["image", "scales"], "larger", NodeAttributes.None.With("mode", "nearest")));
        graph.Node.Add(Node("Squeeze", ["larger"], "row", NodeAttributes.None.With("axes", [1, 2])));
        graph.Node.Add(Node("MatMul", ["row", "second.weight"], "y"));
        graph.Output.Add(new ValueInfoProto { Name = "y" });
        ModelProto model = new() { IrVersion = 5, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = 9 } } };

        ImportReport report = OnnxImporter.Import(model, s_source, Options() with { Trainable = "weight" }).Report;

        Assert.Equal(["first.weight", "second.weight"], report.Trained);
        Assert.Equal((1, 1), (report.Operators["ScatterElements"], report.Operators["Resize"]));
    }

    // A copied block begins with equal weights; each has its own factors, and its own place in a base that is merged into.
    [Fact]
    public void Import_LayersOfEqualWeights_CanBeMergedEach()
    {
        GraphProto graph = new() { Name = "main" };
        graph.Input.Add(Input("x", "N", 20));
        graph.Initializer.Add(Weight("first.weight", Weights(20 * 20, 1), 20, 20));
        graph.Initializer.Add(Weight("second.weight", Weights(20 * 20, 1), 20, 20));
        graph.Node.Add(Node("MatMul", ["x", "first.weight"], "hidden"));
        graph.Node.Add(Node("MatMul", ["hidden", "second.weight"], "y"));
        graph.Output.Add(new ValueInfoProto { Name = "y" });
        ModelProto model = new() { IrVersion = 8, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = 17 } } };

        ModelPackage merged = MergeablePackage.Of(OnnxImporter.Import(model, s_source, Options() with { Lora = s_lora }).Package);

        Assert.Equal(["first.weight", "second.weight"], merged.Manifest.Parameters.Where(p => p.Lora?.Factor == LoraMatrix.Base).Select(p => p.Name));
    }

    [Fact]
    public void Import_NodesWithoutGradient_NamesAllAtOnce()
    {
        ModelProto model = Model(withSigns: true);

        string refusal = Refusal(model, Options());

        Assert.Contains("sign1", refusal, StringComparison.Ordinal);
        Assert.Contains("sign2", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Import_NothingToTrain_IsRefused() => Assert.Contains(
        "--lora", Assert.Throws<ArgumentException>(() => OnnxImporter.Import(Model(), s_source, Options())).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_WrittenFolder_GivesThePackageAndNoticesADamagedFile()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("package-");
        try
        {
            ModelPackage package = OnnxImporter.Import(Model(), s_source, Options() with { Lora = s_lora }).Package;
            ContentHash hash = PackageFolder.Write(package, folder.FullName);

            ModelPackage read = PackageFolder.Read(folder.FullName);
            Assert.Equal(hash, ContentHash.Of(read.Manifest.ToBytes()));
            Assert.Equal(package.FrozenWeights, read.FrozenWeights);
            Assert.Equal(package.InitialAdapter, read.InitialAdapter);

            string weights = Path.Combine(folder.FullName, package.Manifest.FrozenWeights[0].Sha256);
            byte[] damaged = File.ReadAllBytes(weights);
            damaged[5] ^= 1;
            File.WriteAllBytes(weights, damaged);
            Assert.Contains("is not the file", Assert.Throws<InvalidDataException>(() => PackageFolder.Read(folder.FullName)).Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static ImportOptions Options() => new() { Task = ModelTask.Classification };

    private static string Refusal(ModelProto model, ImportOptions options) =>
        Assert.Throws<OnnxFormatException>(() => OnnxImporter.Import(model, s_source, options with { Lora = s_lora })).Message;

    /// <summary>As an exporter would write it: x · first → Relu → · second → Softmax, the second weight renamed.</summary>
    private static ModelProto Model(bool open = false, bool withSigns = false)
    {
        GraphProto graph = new() { Name = "main" };
        graph.Input.Add(open ? Input("x", "N", 0) : Input("x", "N", 20));
        graph.Initializer.Add(Weight("first.weight", Weights(20 * 16, 1), 20, 16));
        graph.Initializer.Add(Weight("onnx::MatMul_7", Weights(16 * 3, 2), 16, 3));
        graph.Node.Add(new NodeProto { Name = "/first/MatMul", OpType = "MatMul", Input = { "x", "first.weight" }, Output = { "a" } });
        graph.Node.Add(new NodeProto { Name = "relu", OpType = "Relu", Input = { "a" }, Output = { "b" } });
        string hidden = "b";
        foreach (string sign in withSigns ? new[] { "sign1", "sign2" } : [])
        {
            graph.Node.Add(new NodeProto { Name = sign, OpType = "Sign", Input = { hidden }, Output = { hidden + sign } });
            hidden += sign;
        }

        graph.Node.Add(new NodeProto { Name = "/layers/second/MatMul", OpType = "MatMul", Input = { hidden, "onnx::MatMul_7" }, Output = { "c" } });
        graph.Node.Add(new NodeProto { Name = "probabilities", OpType = "Softmax", Input = { "c" }, Output = { "y" } });
        graph.Output.Add(new ValueInfoProto { Name = "y" });
        return new ModelProto { IrVersion = 8, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = 17 } } };
    }

    private static ValueInfoProto Input(string name, string batch, int size)
    {
        TensorShapeProto.Types.Dimension second = size == 0
            ? new TensorShapeProto.Types.Dimension { DimParam = "length" }
            : new TensorShapeProto.Types.Dimension { DimValue = size };
        TensorShapeProto shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = batch }, second } };
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float, Shape = shape } } };
    }

    private static NodeProto Node(string operatorType, string[] inputs, string output, NodeAttributes? attributes = null)
    {
        NodeProto node = new() { Name = $"/{output}/{operatorType}", OpType = operatorType, Input = { inputs }, Output = { output } };
        node.Attribute.AddRange((attributes ?? NodeAttributes.None).ToProtos());
        return node;
    }

    private static TensorProto Weight(string name, float[] values, params long[] shape)
    {
        byte[] raw = new byte[values.Length * sizeof(float)];
        Buffer.BlockCopy(values, 0, raw, 0, raw.Length);
        TensorProto tensor = new() { Name = name, DataType = (int)DataType.Float, RawData = ByteString.CopyFrom(raw) };
        tensor.Dims.AddRange(shape);
        return tensor;
    }

    private static float[] Weights(int count, int seed) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin((i + 1) * seed))];
}
