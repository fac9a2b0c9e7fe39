using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Training;
using Google.Protobuf;

namespace Federated.Client.Tests.Scene;

/// <summary>One device, one scripted server, one round of a model with <see cref="Parameters"/> parameters; everything may be changed before it runs.</summary>
internal sealed class RoundScene : IAsyncDisposable
{
    public const int Parameters = 50_000;
    private const int Examples = 4;

    /// <summary>How long a test waits for what is to happen soon: on a slow machine under load too, only what never happens takes longer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // No round ends because of it, unless a test says so.
    private static readonly TimeSpan _deadline = 5 * Patience;

    // A device that cannot tell the server is done within the patience.
    private static readonly TimeSpan _abortTimeout = Patience / 2;

    private RoundScene(ScriptedServer server, ServerScript script)
    {
        Server = server;
        Script = script;
        Gradient = script.Add([.. Enumerable.Range(0, 5_000).Select(i => (byte)(i % 251))]);
        Manifest = new PackageManifest
        {
            Format = PackageManifest.CurrentFormat,
            Name = "fake",
            Task = ModelTask.Classification,
            Inputs = [new PackageInput(PackageManifest.FeaturesInput, ElementType.Float32, [2])],
            Labels = new PackageLabels(ElementType.Int64, [], 2),
            Parameters = [new PackageParameter("w", [Parameters])],
            FullModelParameters = Parameters,
            Gradient = new PackageFile(Gradient.Hex, 5_000),
            Evaluation = new PackageFile(Gradient.Hex, 5_000),
        };
        Package = script.Add(Manifest.ToBytes());
        byte[] adapter = AdapterDocument.ToBytes(6, [.. Enumerable.Range(0, Parameters).Select(i => (float)(i % 64))]);
        Adapter = script.Add(adapter);
        Plan = new PlanDocument
        {
            JobId = "job",
            Round = 7,
            ModelVersion = 6,
            Package = Package,
            Adapter = Adapter,
            AdapterLengthBytes = adapter.Length,
            ParameterCount = Parameters,
            Seed = 1,
            MaxUpdateBytes = 1_000_000,
            Deadline = _deadline,
            CohortSize = 1,
            Goal = 1,
            Training = new LocalTrainingPlan { BatchSize = 2, LearningRate = 0.5 },
        };
        Link = GrpcServerLink.Connect(server.Address, new GrpcLinkOptions());
        script.CheckIn = _ => Assign(Plan.ToBytes());
    }

    public ScriptedServer Server { get; }

    public ServerScript Script { get; }

    public PackageManifest Manifest { get; }

    public ContentHash Gradient { get; }

    public ContentHash Package { get; set; }

    public ContentHash Adapter { get; set; }

    public PlanDocument Plan { get; set; }

    public IServerLink Link { get; set; }

    public HookedObserver Observer { get; } = new();

    public IExampleSource Source { get; set; } = new FakeExamples(Examples);

    public ModelCacheOptions CacheOptions { get; set; } = new() { TrainingThreads = 1 };

    public IResidualStore Residuals { get; set; } = new MemoryResiduals();

    public MemoryKeptTensors Kept { get; } = new();

    public MemoryHeldAdapters Held { get; } = new();

    /// <summary>What may hold the round up.</summary>
    public IRoundPacing? Pacing { get; set; }

    /// <summary>Runs before every training step.</summary>
    public Action? Step { get; set; }

    public SessionOptions Options { get; set; } = new()
    {
        CheckInHold = TimeSpan.FromSeconds(1),
        CheckInMargin = Patience,
        AbortTimeout = _abortTimeout,
        InterruptTimeout = _abortTimeout,
        FirstBackoff = TimeSpan.FromMilliseconds(5),
        LongestBackoff = TimeSpan.FromMilliseconds(50),
    };

    public static async Task<RoundScene> OpenAsync()
    {
        ServerScript script = new();
        return new RoundScene(await ScriptedServer.StartAsync(script), script);
    }

    public static CheckInReply Assign(byte[] plan) =>
        new() { Assignment = new Assignment { JobId = "job", Round = 7, Plan = ByteString.CopyFrom(plan) } };

    public ClientSession Session(ModelCache models) => new(
        new ClientIdentity("device-1", "pop", new Dictionary<string, string> { ["board"] = "pi5" }),
        Link,
        models,
        Source,
        Options,
        TimeProvider.System,
        Observer,
        new DeviceMemory { Residuals = Residuals, Kept = Kept, Held = Held },
        enrollment: null,
        Pacing);

    public ModelCache Cache() => new(CacheOptions, new FakeEngine(Step));

    public Task<SessionReport> RunAsync() => RunUntilAsync(TestContext.Current.CancellationToken);

    public async Task<SessionReport> RunAcceptedAsync()
    {
        SessionReport report = await RunAsync();
        Assert.True(report.Result == SessionResult.Accepted, $"{report.Result}, {report.Outcome}: {report.Detail}");
        return report;
    }

    public async Task<SessionReport> RunUntilAsync(CancellationToken stop)
    {
        using ModelCache models = Cache();
        return await Session(models).RunOnceAsync(stop).WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    public IEnumerable<long> OffsetsOf(ContentHash content) => Script.Downloads.Where(d => d.Content == content).Select(d => d.Offset);

    public async ValueTask DisposeAsync()
    {
        await Link.DisposeAsync();
        await Server.DisposeAsync();
    }
}
