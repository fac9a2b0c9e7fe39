using Federated.Modeling;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using Federated.Simulator.Bench;
using Federated.Testing;

namespace Federated.Simulator.Tests.Bench;

public sealed class ImportedModelTests
{
    [Fact]
    public void Parse_EveryKey_IsWhatTheImportIsTold()
    {
        ImportedModel model = ImportedModel.Parse("a b.onnx;task=regression;shape=3,48x320;input=x;output=y;fill=mask=1;fill=rate=16e3");

        Assert.Equal("a b.onnx", model.Path);
        Assert.Equal((ModelTask.Regression, "x", "y"), (model.Options.Task, model.Options.Input, model.Options.Output));
        Assert.Equal([3, 48, 320], model.Options.InputShape!);
        Assert.Equal([("mask", 1.0), ("rate", 16000.0)], model.Options.Fill.OrderBy(f => f.Key).Select(f => (f.Key, f.Value)));
    }

    [Theory]
    [InlineData("a.onnx;task=poetry", "task=poetry")]
    [InlineData("a.onnx;shape=3,wide", "shape=3,wide")]
    [InlineData("a.onnx;fill=mask", "fill=mask")]
    [InlineData("a.onnx;batch=3", "batch=3")]
    [InlineData("a.onnx;regression", "'regression'")]
    public void Parse_OtherForm_IsRefusedByName(string text, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => ImportedModel.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Packages_ModelOfAFile_AreOfAllWeightsAndOfFactors()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "small.onnx");
        ModelPackage source = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 6, Hidden = [5], Classes = 3, Lora = new PackageLora(1, 1, ".*", 1) }, 1);
        ModelProto graph = OnnxFile.Read(source.ModelGraph);
        ExternalWeights.Embed(graph, _ => source.FrozenWeights);
        File.WriteAllBytes(path, OnnxFile.Write(graph));

        (ModelPackage? Package, string? Refusal)[] packages = [.. ImportedModel.Parse(path).Packages(new PackageLora(2, 4, "none", 1))];

        Assert.Equal([null, null], packages.Select(p => p.Refusal));
        Assert.Null(packages[0].Package!.Manifest.Lora);
        Assert.Equal((5 * 6) + 5 + (3 * 5) + 3, packages[0].Package!.Manifest.Layout.Length);
        Assert.Equal(2 * (6 + 5 + 5 + 3), packages[1].Package!.Manifest.Layout.Length);
    }
}
