using Federated.Shared.Models;
using Federated.Training.Engine;

namespace Federated.Training.Tests.Engine;

public sealed class OnnxModelTests
{
    private static readonly OnnxEngineOptions Options = new();

    [Fact]
    public void PrepareTraining_ParameterTheGraphLacks_NamesIt()
    {
        PackageManifest manifest = Packages.Mlp.Manifest;
        AssertRefused(
            manifest with { Parameters = [.. manifest.Parameters, new PackageParameter("head.scale", [3])] },
            "gradient.onnx", "input 'head.scale' is missing", "output 'gradient/head.scale' is missing");
    }

    [Fact]
    public void PrepareTraining_ParameterTheManifestLacks_NamesIt()
    {
        PackageManifest manifest = Packages.Mlp.Manifest;
        AssertRefused(
            manifest with { Parameters = [.. manifest.Parameters.Skip(1)] }, $"input '{manifest.Parameters[0].Name}' is not in the manifest");
    }

    [Fact]
    public void PrepareTraining_OtherParameterShape_NamesBoth()
    {
        PackageManifest manifest = Packages.Mlp.Manifest;
        PackageParameter first = manifest.Parameters[0];
        AssertRefused(
            manifest with { Parameters = [first with { Shape = [17, 23] }, .. manifest.Parameters.Skip(1)] },
            $"input '{first.Name}' has shape [{string.Join(", ", first.Shape)}], the manifest says [17, 23]");
    }

    [Fact]
    public void PrepareTraining_OtherFeatureShape_NamesBoth() =>
        AssertRefused(Packages.Mlp.Manifest with { Inputs = [new PackageInput("features", ElementType.Float32, [785])] }, "input 'features'", "785");

    [Fact]
    public void PrepareTraining_ExchangedGraphs_NamesTheMissingOutput()
    {
        using OnnxModel model = OnnxModel.Load(Packages.Mlp.Manifest, Packages.Mlp.Evaluation, Packages.Mlp.Gradient, Options);
        InvalidDataException training = Assert.Throws<InvalidDataException>(model.PrepareTraining);
        Assert.Contains($"output 'gradient/{Packages.Mlp.Manifest.Parameters[0].Name}' is missing", training.Message, StringComparison.Ordinal);
        InvalidDataException evaluation = Assert.Throws<InvalidDataException>(model.PrepareEvaluation);
        Assert.Contains("evaluation.onnx", evaluation.Message, StringComparison.Ordinal);
        Assert.Contains("output 'score' is missing", evaluation.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PrepareTraining_NotOnnx_SaysSo()
    {
        using OnnxModel model = OnnxModel.Load(Packages.Mlp.Manifest, GraphSource.FromBytes([1, 2, 3]), Packages.Mlp.Evaluation, Options);
        Assert.Contains("cannot open gradient.onnx", Assert.Throws<InvalidDataException>(model.PrepareTraining).Message, StringComparison.Ordinal);
        model.PrepareEvaluation();
    }

    [Fact]
    public void Load_GraphNeverUsed_IsNeverOpened()
    {
        // A broken evaluation graph does not stop a client that only trains.
        using OnnxModel model = OnnxModel.Load(Packages.Mlp.Manifest, Packages.Mlp.Gradient, GraphSource.None, Options);
        using IModelWorkspace workspace = model.CreateWorkspace();
        Assert.True(float.IsFinite(workspace.LossAndGradient(Mnist.Test, [0, 1, 2])));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(257)]
    public void Load_ThreadsOutOfRange_IsRefused(int threads) => Assert.Contains(
        $"{threads} threads",
        Assert.Throws<ArgumentException>(
            () => OnnxModel.Load(Packages.Mlp.Manifest, GraphSource.None, GraphSource.None, new OnnxEngineOptions { IntraOpThreads = threads })).Message,
        StringComparison.Ordinal);

    [Fact]
    public void CreateWorkspace_AfterDispose_IsRefused()
    {
        OnnxModel model = Packages.Mlp.Open();
        IModelWorkspace workspace = model.CreateWorkspace();
        model.PrepareTraining();
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(model.CreateWorkspace);
        Assert.Throws<ObjectDisposedException>(() => workspace.LossAndGradient(Mnist.Test, [0]));
        workspace.Dispose();
    }

    private static void AssertRefused(PackageManifest manifest, params string[] words)
    {
        using OnnxModel model = OnnxModel.Load(manifest, Packages.Mlp.Gradient, Packages.Mlp.Evaluation, Options);
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(model.PrepareTraining);
        Assert.All(words, word => Assert.Contains(word, refusal.Message, StringComparison.Ordinal));
    }
}
