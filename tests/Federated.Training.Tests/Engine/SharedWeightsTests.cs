using System.Globalization;
using Federated.Modeling;
using Federated.Shared.Models;
using Federated.Training.Data;
using Federated.Training.Engine;

namespace Federated.Training.Tests.Engine;

/// <summary>Many virtual clients, one session, one copy of the frozen weights.</summary>
public sealed class SharedWeightsTests : IDisposable
{
    private const int Clients = 200;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("shared-weights-");

    private readonly ModelPackage _package = ModelPackage.Build(
        new ModelSpec { Builder = ModelSpec.Mlp, Hidden = [2048, 2048], Lora = new PackageLora(4, 8, "dense", 1) }, 1);

    // 23 MB of frozen weights; an adapter of 4 · (784 + 2048 + 2048 + 2048 + 2048 + 10) numbers is 144 kB.
    [Fact]
    public void CreateWorkspace_FurtherClient_CostsItsAdapterAndItsIndex()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The memory that a process has for itself is read from /proc.");
        using OnnxModel model = Open();
        List<IModelWorkspace> spaces = [Client(model)];
        long first = OwnBytes();

        for (int i = 1; i < Clients; i++)
        {
            spaces.Add(Client(model));
        }

        long each = (OwnBytes() - first) / (Clients - 1);
        long adapter = (long)_package.InitialAdapter.Length * sizeof(float);
        long batch = 2 * 784 * sizeof(float);
        TestContext.Current.SendDiagnosticMessage($"A further client takes {each} bytes; its adapter and gradient have {2 * adapter}, the frozen weights {_package.FrozenWeights.Length}.");
        Assert.InRange(each, 0, (2 * adapter) + batch + (64 * 1024));
        Assert.True(each < _package.FrozenWeights.Length / 20);
        spaces.ForEach(space => space.Dispose());
    }

    // Without packing, the graph reads the mapped file; what it makes of it is below the weights' own size.
    [Fact]
    public void PrepareEvaluation_WeightsNotPacked_TakesNoCopyOfThem()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The memory that a process has for itself is read from /proc.");
        using OnnxModel model = Open(pack: false);
        long before = OwnBytes();

        model.PrepareEvaluation();

        Assert.InRange(OwnBytes() - before, long.MinValue, _package.FrozenWeights.Length / 2);
    }

    [Fact]
    public void Load_FrozenWeightsAsBytes_IsRefused() => Assert.Contains(
        "has frozen weights",
        Assert.Throws<ArgumentException>(
            () => OnnxModel.Load(_package.Manifest, _package.GradientGraph, _package.EvaluationGraph, new OnnxEngineOptions())).Message,
        StringComparison.Ordinal);

    public void Dispose() => _folder.Delete(recursive: true);

    private OnnxModel Open(bool pack = true)
    {
        _ = PackageFolder.Write(_package, _folder.FullName);
        return OnnxModel.Load(
            _package.Manifest,
            GraphSource.FromFile(Path.Combine(_folder.FullName, "gradient.onnx")),
            GraphSource.FromFile(Path.Combine(_folder.FullName, "evaluation.onnx")),
            new OnnxEngineOptions { PackFrozenWeights = pack });
    }

    private IModelWorkspace Client(OnnxModel model)
    {
        IModelWorkspace space = model.CreateWorkspace();
        _package.InitialAdapter.CopyTo(space.Adapter);
        ExampleSubset own = new(Mnist.Test, [.. Enumerable.Range(0, 100)]);
        Assert.True(float.IsFinite(space.LossAndGradient(own, [0, 1])));
        return space;
    }

    /// <summary>Memory of the process that no file backs.</summary>
    private static long OwnBytes()
    {
        GC.Collect();
        string line = File.ReadLines("/proc/self/status").Single(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
