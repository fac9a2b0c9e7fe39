using System.Collections.Immutable;
using System.Text.Json;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.EndToEnd.Tests.Scene;
using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Modeling.Lora;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary>An ONNX file's way through the command line, a server and its clients, and out again.</summary>
public sealed class PackageJobTests : IDisposable
{
    private const int Devices = 3;

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Job_OfAnImportedFile_TrainsItsFactorsAndIsExported(bool throughTheStore)
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        await using RunningServer server = await RunningServer.StartAsync();
        string package = Path.Combine(_folder.Path, "package");
        JsonElement imported = await CommandAsync(
            ["models", "import", WriteOnnx(), "--task", "classification", "--lora", "rank=4,alpha=8,targets=dense", "--out", package, "--json",
                .. throughTheStore ? ["--server", server.Api.Address.ToString()] : Array.Empty<string>()]);
        string hash = imported.GetProperty("package").GetString()!;
        Assert.Equal(2, imported.GetProperty("report").GetProperty("adapted").GetArrayLength());
        Assert.Equal(hash, (await CommandAsync(["models", "inspect", package, "--json"])).GetProperty("package").GetString());

        (JobStatus job, List<RoundRecord> records) = await RunAsync(server, $$"""{ "package": "{{(throughTheStore ? hash : package)}}" }""");

        Assert.Equal((JobState.Completed, hash), (job.State, job.PackageSha256));
        Assert.True(records[^1].Evaluation!.Loss < records[0].Evaluation!.Loss, $"The loss went from {records[0].Evaluation!.Loss} to {records[^1].Evaluation!.Loss}.");
        foreach (string format in new[] { "onnx", "peft", "safetensors" })
        {
            string target = Path.Combine(_folder.Path, format);
            JsonElement exported = await CommandAsync(
                ["models", "export", job.JobId, "--format", format, "--out", target, "--server", server.Api.Address.ToString(), "--json"]);
            Assert.All(exported.GetProperty("files").EnumerateArray(), file => Assert.True(new FileInfo(file.GetString()!).Length > 0));
            Assert.Equal((job.JobId, job.ModelVersion, records[^1].Round), (exported.GetProperty("job").GetString(), exported.GetProperty("version").GetInt64(), exported.GetProperty("round").GetInt64()));
            Assert.Equal(records[^1].Evaluation!.Accuracy, exported.GetProperty("evaluation").GetProperty("accuracy").GetDouble());
        }

        IReadOnlyList<NamedTensor> factors = SafetensorsFile.Read(await File.ReadAllBytesAsync(Path.Combine(_folder.Path, "peft", "adapter_model.safetensors"), ct));
        Assert.Contains(factors.Single(t => t.Name == "base_model.model.dense1.lora_B.weight").Values.ToArray(), v => v != 0);
    }

    [Theory]
    [InlineData("""{ "builder": "mlp", "hidden": [24], "lora": { "rank": 4, "targets": "dense" } }""")]
    [InlineData("""{ "builder": "mlp", "hidden": [24], "lora": { "rank": 4, "targets": "dense" }, "baseBits": 8 }""")]
    public async Task Job_OfABuilderWithLowRankChanges_TrainsThem(string model)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        (JobStatus job, List<RoundRecord> records) = await RunAsync(server, model);

        Assert.Equal(JobState.Completed, job.State);
        Assert.True(records[^1].Evaluation!.Loss < records[0].Evaluation!.Loss, $"The loss went from {records[0].Evaluation!.Loss} to {records[^1].Evaluation!.Loss}.");
    }

    [Theory]
    [InlineData("""{ "package": "nowhere" }""", "nowhere")]
    [InlineData("""{ "package": "00000000000000000000000000000000000000000000000000000000000000ff" }""", "no package")]
    [InlineData("""{ "builder": "mlp", "lora": { "rank": 4, "targets": "attention" } }""", "Layers are dense1")]
    [InlineData("""{ "builder": "mlp", "package": "x" }""", "either builder or package")]
    [InlineData("""{ "builder": "mlp", "base": "/dev/zero" }""", "/dev/zero has 0 bytes; the weights of this model are a file of 1 to")]
    public async Task Submit_ModelThatCannotBeHad_IsRefusedWithItsReason(string model, string reason)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        ServerApiException e = await Assert.ThrowsAsync<ServerApiException>(() => server.Api.SubmitJobAsync(Spec(model), TestContext.Current.CancellationToken));

        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.Empty(await server.Api.JobsAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Import_FolderOfPeft_AdaptsItsLayersAndStartsFromItsFactors()
    {
        string first = Path.Combine(_folder.Path, "first");
        string peft = Path.Combine(_folder.Path, "peft");
        string second = Path.Combine(_folder.Path, "second");
        string file = WriteOnnx();
        _ = await CommandAsync(["models", "import", file, "--task", "classification", "--lora", "rank=3,alpha=6,targets=dense1", "--out", first, "--json"]);
        ModelPackage package = PackageFolder.Read(first);
        float[] trained = [.. package.InitialAdapter.Select((value, i) => value + (0.001f * i))];
        (byte[] weights, byte[] config) = PeftAdapter.Write(package.Manifest, trained);
        _ = Directory.CreateDirectory(peft);
        await File.WriteAllBytesAsync(Path.Combine(peft, PeftAdapter.WeightsFile), weights, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(peft, PeftAdapter.ConfigFile), config, TestContext.Current.CancellationToken);

        JsonElement imported = await CommandAsync(["models", "import", file, "--task", "classification", "--peft", peft, "--out", second, "--json"]);
        (int both, _) = await ProgramRun.RunAsync(
            "Federated.Server", "models", "import", file, "--task", "classification", "--peft", peft, "--lora", "rank=3", "--out", second);

        Assert.Equal(1, imported.GetProperty("report").GetProperty("adapted").GetArrayLength());
        ModelPackage taken = PackageFolder.Read(second);
        Assert.Equal((3, 6), (taken.Manifest.Lora!.Rank, (int)taken.Manifest.Lora.Alpha));
        Assert.Equal(trained, taken.InitialAdapter.ToArray());
        Assert.Equal(2, both);
    }

    [Fact]
    public async Task Export_PackageThatHasNoModelOfTheFormat_IsRefusedAndLeavesNoFolder()
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Hidden = [24], Lora = new PackageLora(2, 4, "dense", 1) }, 1);
        string merged = Path.Combine(_folder.Path, "merged");
        string target = Path.Combine(_folder.Path, "exported");
        _ = PackageFolder.Write(MergeablePackage.Of(package), merged);

        (int exitCode, _) = await ProgramRun.RunAsync("Federated.Server", "models", "export", merged, "--format", "peft", "--out", target);

        Assert.Equal((2, false), (exitCode, Directory.Exists(target)));
    }

    [Fact]
    public async Task Import_FileThatIsNoModel_ExitsWithTwo()
    {
        string file = Path.Combine(_folder.Path, "broken.onnx");
        await File.WriteAllBytesAsync(file, [1, 2, 3], TestContext.Current.CancellationToken);

        (int exitCode, _) = await ProgramRun.RunAsync("Federated.Server", "models", "import", file, "--task", "classification", "--lora", "rank=4", "--out", _folder.Path);

        Assert.Equal(2, exitCode);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<(JobStatus Job, List<RoundRecord> Records)> RunAsync(RunningServer server, string model)
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        JobStatus job = await server.Api.SubmitJobAsync(Spec(model), ct);
        await using GrpcServerLink link = GrpcServerLink.Connect(server.GrpcAddress, new GrpcLinkOptions());
        using ModelCache models = new(new ModelCacheOptions { TrainingThreads = 1 });
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task fleet = Task.WhenAll(Enumerable.Range(0, Devices).Select(i => ServeAsync(i, link, models, stop.Token)));
        job = await server.EndAsync(job.JobId);
        await stop.CancelAsync();
        await fleet;
        return (job, await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, ct));
    }

    private static async Task ServeAsync(int index, GrpcServerLink link, ModelCache models, CancellationToken ct)
    {
        ClientIdentity identity = new($"device-{index}", "packages", ImmutableDictionary<string, string>.Empty);
        ClientSession session = new(identity, link, models, Mnist.Slice(index * 200, 200), new SessionOptions(), TimeProvider.System);
        await DeviceLoop.RunAsync(session.RunOnceAsync, ct);
    }

    private static async Task<JsonElement> CommandAsync(string[] arguments)
    {
        (int exitCode, string output) = await ProgramRun.RunAsync("Federated.Server", arguments);
        Assert.True(exitCode == 0, $"{string.Join(' ', arguments)} ended with {exitCode}: {output}");
        return JsonDocument.Parse(output).RootElement;
    }

    /// <summary>An ordinary ONNX model, of which nothing says that this project wrote it.</summary>
    private string WriteOnnx()
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Hidden = [24] }, 3);
        string file = Path.Combine(_folder.Path, "digits.onnx");
        File.WriteAllBytes(file, MergedModel.Build(package, package.InitialAdapter));
        return file;
    }

    private static string Spec(string model) => $$"""
        {
          "name": "packaged", "population": "packages", "rounds": 3, "model": {{model}},
          "cohort": { "goal": 3, "overSelection": 1.0, "quorum": 1.0, "minimumPool": 3 },
          "training": { "epochs": 2, "batchSize": 10, "learningRate": 0.1 },
          "evaluation": { "data": { "kind": "idx", "images": "{{Mnist.TestImages}}", "labels": "{{Mnist.TestLabels}}" } }
        }
        """;
}
