using System.Runtime.InteropServices;
using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using Google.Protobuf;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Imports;

/// <summary>Files whose weights are cut off, of another length than their shape, or not finite: refused before a device has them.</summary>
public sealed class BrokenWeightsTests : IDisposable
{
    private const int Width = 32;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("weights-");

    [Theory]
    [InlineData(0)]
    [InlineData(4 * Width * Width - 4)]
    [InlineData(4 * Width * Width - 1)]
    [InlineData(4 * Width * Width + 4)]
    public void Import_FrozenWeightOfAnotherLength_IsRefused(int bytes)
    {
        ModelProto model = Model(new float[Width * Width]);
        model.Graph.Initializer[0].RawData = ByteString.CopyFrom(new byte[bytes]);

        string message = Assert.Throws<OnnxFormatException>(() => Import(model)).Message;

        Assert.Contains($"Tensor 'first.weight' has {bytes} bytes of content; Float [32, 32] wants 4096", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Import_FrozenWeightWithoutContent_IsRefused()
    {
        ModelProto model = Model(new float[Width * Width]);
        model.Graph.Initializer[0].ClearRawData();

        Assert.Contains("has 0 bytes", Assert.Throws<OnnxFormatException>(() => Import(model)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3000, "")]
    [InlineData(3000, "3000")]
    [InlineData(5000, "5000")]
    [InlineData(4096, "2048")]
    public void Import_ExternalWeightOfAnotherLength_IsRefused(int bytes, string length)
    {
        string path = WriteExternal(bytes, length);

        Assert.Contains("'first.weight'", Assert.Throws<OnnxFormatException>(() => OnnxImporter.Import(path, Options())).Message, StringComparison.Ordinal);
    }

    // A file of several tensors may leave the lengths out, which their shapes say.
    [Fact]
    public void Import_ExternalWeightWithoutLength_IsAsLongAsItsShape()
    {
        ImportResult result = OnnxImporter.Import(WriteExternal(5000, ""), Options());

        Assert.Equal(Width * Width * sizeof(float), result.Report.FrozenBytes);
    }

    [Fact]
    public void Import_ExternalConstantOfANode_IsRefused()
    {
        ModelProto model = Model(new float[Width * Width]);
        TensorProto weight = model.Graph.Initializer[0].Clone();
        model.Graph.Initializer.Clear();
        weight.ClearRawData();
        weight.DataLocation = DataLocation.External;
        NodeProto constant = new() { Name = "constant", OpType = "Constant", Output = { "first.weight" } };
        constant.Attribute.Add(new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = weight });
        model.Graph.Node.Insert(0, constant);

        Assert.Contains("Store it inside the model", Assert.Throws<OnnxFormatException>(() => Import(model)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Import_WeightThatIsNotFinite_IsRefused(float value)
    {
        float[] weights = new float[Width * Width];
        weights[7] = value;

        Assert.Contains("not finite: first.weight", Assert.Throws<OnnxFormatException>(() => Import(Model(weights))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Import_MaskOfInfinities_IsTaken()
    {
        ModelProto model = Model(new float[Width * Width]);
        float[] mask = new float[Width];
        mask[3] = float.NegativeInfinity;
        model.Graph.Initializer.Add(Weight("mask", mask, Width));
        model.Graph.Node[0].Output[0] = "unmasked";
        model.Graph.Node.Add(new NodeProto { Name = "masking", OpType = "Add", Input = { "unmasked", "mask" }, Output = { "y" } });

        Assert.Equal(["first.lora_A.weight", "first.lora_B.weight"], Import(model).Package.Manifest.Parameters.Select(p => p.Name));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static ImportResult Import(ModelProto model) => OnnxImporter.Import(model, new PackageProvenance("small.onnx", new string('a', 64), "test 1", 21), Options());

    private static ImportOptions Options() => new() { Task = ModelTask.Classification, Lora = new PackageLora(2, 4, ".*", 1) };

    /// <summary>A model whose weight lies in a file of so many bytes.</summary>
    private string WriteExternal(int bytes, string length)
    {
        ModelProto model = Model(new float[Width * Width]);
        TensorProto weight = model.Graph.Initializer[0];
        weight.ClearRawData();
        weight.DataLocation = DataLocation.External;
        weight.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "weights.bin" });
        if (length.Length > 0)
        {
            weight.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = length });
        }

        File.WriteAllBytes(Path.Combine(_folder.FullName, "weights.bin"), new byte[bytes]);
        string path = Path.Combine(_folder.FullName, "model.onnx");
        File.WriteAllBytes(path, OnnxFile.Write(model));
        return path;
    }

    /// <summary>x · first.</summary>
    private static ModelProto Model(float[] weights)
    {
        TensorShapeProto shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" }, new TensorShapeProto.Types.Dimension { DimValue = Width } } };
        GraphProto graph = new() { Name = "main" };
        graph.Input.Add(new ValueInfoProto { Name = "x", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float, Shape = shape } } });
        graph.Initializer.Add(Weight("first.weight", weights, Width, Width));
        graph.Node.Add(new NodeProto { Name = "/first/MatMul", OpType = "MatMul", Input = { "x", "first.weight" }, Output = { "y" } });
        graph.Output.Add(new ValueInfoProto { Name = "y" });
        return new ModelProto { IrVersion = 8, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = 17 } } };
    }

    private static TensorProto Weight(string name, float[] values, params long[] shape) => new()
    {
        Name = name,
        DataType = (int)DataType.Float,
        Dims = { shape },
        RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan())),
    };
}
