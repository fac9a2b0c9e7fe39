using Federated.Modeling;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;

namespace Federated.Training.Torch.Tests;

public sealed class TorchModelTests
{
    private static readonly ModelPackage Package = Packages.Of("small-mlp");

    [Theory]
    [InlineData("Sign")]
    [InlineData("Einsum")]
    public void Load_OperatorTheEngineLacks_IsRefusedByNodeNameAndType(string operatorType)
    {
        string name = "";
        byte[] graph = Packages.Changed(Package, m =>
        {
            NodeProto node = m.Graph.Node.First(n => n.OpType == "Relu");
            name = node.Name;
            node.OpType = operatorType;
        });

        OnnxFormatException e = Refused(graph);

        Assert.Contains($"'{name}' ({operatorType})", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SecondOutputWanted_IsRefusedByNodeName()
    {
        ModelPackage package = Packages.Of("small-cnn");
        byte[] graph = Packages.Changed(package, m => m.Graph.Node.First(n => n.OpType == "MaxPool").Output.Add("places"));

        OnnxFormatException e = Assert.Throws<OnnxFormatException>(() => TorchModel.Load(package.Manifest, graph, new TorchEngineOptions()));

        Assert.Contains("MaxPool", e.Message, StringComparison.Ordinal);
        Assert.Contains("first output", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OutputMissing_IsRefusedByItsName()
    {
        byte[] graph = Packages.Changed(Package, m => m.Graph.Output.Remove(m.Graph.Output.Single(o => o.Name == PackageManifest.ScoreOutput)));

        Assert.Contains("no output 'score'", Refused(graph).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ParameterTheGraphLacks_IsRefusedByItsName()
    {
        PackageManifest manifest = WithParameters([.. Package.Manifest.Parameters, new PackageParameter("extra.weight", [3])]);

        OnnxFormatException e = Assert.Throws<OnnxFormatException>(
            () => TorchModel.Load(manifest, Package.EvaluationGraph, new TorchEngineOptions()));

        Assert.Contains("extra.weight", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ParameterOfAnotherShape_IsRefusedWithBothShapes()
    {
        PackageParameter first = Package.Manifest.Parameters[0];
        PackageManifest manifest = WithParameters([new PackageParameter(first.Name, [13, 9]), .. Package.Manifest.Parameters.Skip(1)]);

        OnnxFormatException e = Assert.Throws<OnnxFormatException>(
            () => TorchModel.Load(manifest, Package.EvaluationGraph, new TorchEngineOptions()));

        Assert.Contains($"'{first.Name}'", e.Message, StringComparison.Ordinal);
        Assert.Contains("[12, 9]", e.Message, StringComparison.Ordinal);
        Assert.Contains("[13, 9]", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_InputTheManifestLacks_IsRefusedByItsName()
    {
        PackageManifest manifest = WithParameters([.. Package.Manifest.Parameters.Skip(1)]);

        OnnxFormatException e = Assert.Throws<OnnxFormatException>(
            () => TorchModel.Load(manifest, Package.EvaluationGraph, new TorchEngineOptions()));

        Assert.Contains($"'{Package.Manifest.Parameters[0].Name}'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NotAnOnnxFile_IsRefused() => Assert.Throws<OnnxFormatException>(
        () => TorchModel.Load(Package.Manifest, GraphSource.FromBytes([1, 2, 3]), new TorchEngineOptions()));

    [Theory]
    [InlineData(0, "cpu", "at least 1 thread")]
    [InlineData(1, "tpu", "'tpu'")]
    [InlineData(1, "cuda:x", "'cuda:x'")]
    [InlineData(1, "cuda:0", "no CUDA here")]
    public void Load_OptionThatCannotBe_IsRefused(int threads, string device, string reason)
    {
        TorchEngineOptions options = new() { Threads = threads, Device = device };

        ArgumentException e = Assert.ThrowsAny<ArgumentException>(() => TorchModel.Load(Package.Manifest, Package.EvaluationGraph, options));

        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    // Written and read again: a copy made by 'with' alone keeps the layout of the manifest it was made from.
    private static PackageManifest WithParameters(IReadOnlyList<PackageParameter> parameters)
    {
        PackageManifest changed = Package.Manifest with { Parameters = parameters };
        return PackageManifest.FromBytes((changed with { FullModelParameters = changed.Layout.Length }).ToBytes());
    }

    private static OnnxFormatException Refused(byte[] graph) =>
        Assert.Throws<OnnxFormatException>(() => TorchModel.Load(Package.Manifest, graph, new TorchEngineOptions()));
}
