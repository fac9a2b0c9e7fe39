using System.Globalization;
using Federated.Modeling;
using Federated.Shared.Models;
using Federated.Training.Data;
using Federated.Training.Engine;

namespace Federated.Training.Tests.Engine;

/// <summary>What a process holds can only be measured while nothing else runs in it.</summary>
[CollectionDefinition(nameof(MemoryMeasurements), DisableParallelization = true)]
public sealed class MemoryMeasurements;

/// <summary>Many virtual clients, one session, one copy of the frozen weights.</summary>
[Collection(nameof(MemoryMeasurements))]
public sealed class SharedWeightsTests : IDisposable
{
    private const int Clients = 200;
    private const int IndexLength = 600;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("shared-weights-");

    private readonly ModelPackage _package = ModelPackage.Build(
        new ModelSpec { Builder = ModelSpec.Mlp, Hidden = [2048, 2048], Lora = new PackageLora(4, 8, "dense", 1) }, 1);

    // 23 MB of frozen weights; an adapter of 4 · (784 + 2048 + 2048 + 2048 + 2048 + 10) numbers is 144 kB.
    [Fact]
    public async Task RentAsync_FurtherVirtualClient_CostsItsAdapterAndItsIndex()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The memory that a process has for itself is read from /proc.");
        using OnnxModel model = Open();
        using WorkspacePool pool = new(model, 1);
        List<VirtualClient> clients = [await TrainedAsync(pool)];
        long firstOwn = OwnBytes();
        long firstManaged = GC.GetTotalMemory(forceFullCollection: true);

        for (int i = 1; i < Clients; i++)
        {
            clients.Add(await TrainedAsync(pool));
        }

        // The process may grow by less, as the heap uses memory again that it had before.
        long managed = (GC.GetTotalMemory(forceFullCollection: true) - firstManaged) / (Clients - 1);
        long resident = (OwnBytes() - firstOwn) / (Clients - 1);
        long own = (_package.InitialAdapter.Length * sizeof(float)) + (IndexLength * sizeof(int));
        TestContext.Current.SendDiagnosticMessage($"A further client takes {managed} bytes; its adapter and index have {own}, the frozen weights {_package.FrozenWeights.Length}.");
        Assert.InRange(managed, own, own + 4096);
        Assert.InRange(resident, long.MinValue, own + (32 * 1024));
        GC.KeepAlive(clients);
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

    /// <summary>A client that took a step with a borrowed workspace and keeps what it learned.</summary>
    private async Task<VirtualClient> TrainedAsync(WorkspacePool pool)
    {
        VirtualClient client = new([.. _package.InitialAdapter], new ExampleSubset(Mnist.Test, [.. Enumerable.Range(0, IndexLength)]));
        using WorkspaceLease lease = await pool.RentAsync(TestContext.Current.CancellationToken);
        client.Adapter.CopyTo(lease.Workspace.Adapter);
        Assert.True(float.IsFinite(lease.Workspace.LossAndGradient(client.Examples, [0, 1])));
        lease.Workspace.Adapter.CopyTo(client.Adapter);
        return client;
    }

    /// <summary>Memory of the process that no file backs.</summary>
    private static long OwnBytes()
    {
        GC.Collect();
        string line = File.ReadLines("/proc/self/status").Single(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private sealed record VirtualClient(float[] Adapter, IExampleSource Examples);
}
