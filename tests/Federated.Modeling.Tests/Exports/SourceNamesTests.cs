using Federated.Modeling.Exports;
using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using Google.Protobuf;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Exports;

/// <summary>What is imported and exported again takes and gives what the file did.</summary>
public sealed class SourceNamesTests
{
    private static readonly PackageProvenance s_source = new("tagger.onnx", new string('a', 64), "test 1", 17);

    [Theory]
    [InlineData(DataType.Int32)]
    [InlineData(DataType.Int64)]
    public void Export_ImportedTokens_KeepTheirNameAndType(DataType type)
    {
        ModelProto exported = ImportAndExport(Tagger(type, softmax: false));

        ValueInfoProto input = Assert.Single(exported.Graph.Input);
        Assert.Equal(("ids", type), (input.Name, (DataType)input.Type.TensorType.ElemType));
        Assert.Equal(("logits", DataType.Float), Output(exported));
        Assert.DoesNotContain(exported.Graph.Node, node => node.OpType == "Cast");
        Assert.Contains(exported.Graph.Node, node => node.OpType == "Gather" && node.Input[1] == "ids");
        Assert.Contains(exported.Graph.Node, node => node.Output.Contains("logits"));
    }

    [Fact]
    public void Export_ImportedSoftmax_IsThereAgain()
    {
        ModelProto exported = ImportAndExport(Tagger(DataType.Int32, softmax: true));

        NodeProto last = exported.Graph.Node[^1];
        Assert.Equal(("probabilities", DataType.Float), Output(exported));
        Assert.Equal(("Softmax", "probabilities"), (last.OpType, last.Output[0]));
        Assert.Contains(exported.Graph.Node, node => node.Output.Contains(last.Input[0]));
    }

    // Packages of before the output's name was kept; their input can be told from the graph.
    [Fact]
    public void Export_PackageWithoutTheOutputsName_HasScores()
    {
        ModelPackage package = Import(Tagger(DataType.Int32, softmax: false));
        package = package with { Manifest = package.Manifest with { Provenance = s_source } };

        ModelProto exported = OnnxFile.Read(MergedModel.Export(package, package.InitialAdapter, new Dictionary<string, string>()));

        Assert.Equal(("ids", PackageManifest.ScoresOutput), (exported.Graph.Input[0].Name, exported.Graph.Output[0].Name));
    }

    private static (string Name, DataType Type) Output(ModelProto model)
    {
        ValueInfoProto output = Assert.Single(model.Graph.Output);
        return (output.Name, (DataType)output.Type.TensorType.ElemType);
    }

    private static ModelProto ImportAndExport(ModelProto model)
    {
        ModelPackage package = Import(model);
        return OnnxFile.Read(MergedModel.Export(package, package.InitialAdapter, new Dictionary<string, string>()));
    }

    private static ModelPackage Import(ModelProto model) =>
        OnnxImporter.Import(model, s_source, new ImportOptions { Task = ModelTask.Classification, Lora = new PackageLora(2, 4, ".*", 1) }).Package;

    /// <summary>Tokens [N, 4] → embeddings [N, 4, 6] → scores [N, 4, 3] of each.</summary>
    private static ModelProto Tagger(DataType type, bool softmax)
    {
        GraphProto graph = new() { Name = "main" };
        TensorShapeProto shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "batch" }, new TensorShapeProto.Types.Dimension { DimValue = 4 } } };
        graph.Input.Add(new ValueInfoProto { Name = "ids", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = shape } } });
        graph.Initializer.Add(Weight("embedding.weight", 10, 6));
        graph.Initializer.Add(Weight("head.weight", 6, 3));
        graph.Node.Add(new NodeProto { Name = "/embedding", OpType = "Gather", Input = { "embedding.weight", "ids" }, Output = { "embedded" } });
        graph.Node.Add(new NodeProto { Name = "/head/MatMul", OpType = "MatMul", Input = { "embedded", "head.weight" }, Output = { "logits" } });
        graph.Output.Add(new ValueInfoProto { Name = softmax ? "probabilities" : "logits" });
        if (softmax)
        {
            graph.Node.Add(new NodeProto { Name = "/softmax", OpType = "Softmax", Input = { "logits" }, Output = { "probabilities" } });
        }

        return new ModelProto { IrVersion = 8, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = 17 } } };
    }

    private static TensorProto Weight(string name, int rows, int columns)
    {
        float[] values = [.. Enumerable.Range(0, rows * columns).Select(i => MathF.Sin(i + 1))];
        return new TensorProto
        {
            Name = name,
            DataType = (int)DataType.Float,
            Dims = { rows, columns },
            RawData = ByteString.CopyFrom(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan())),
        };
    }
}
