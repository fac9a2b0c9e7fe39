using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Shared.Models;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary>Devices read frozen weights straight from Azure Blob Storage: rounds over a real emulator, watched on both ways.</summary>
public sealed class DirectDownloadTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>
{
    private const int Addressed = 256 * 1024;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Round_WithAddresses_ReadsTheWeightsFromTheStoreAlone()
    {
        await using Scene scene = await Scene.OpenAsync(azurite);

        SessionReport report = await scene.RunAsync();

        (ContentHash weights, long length) = scene.Weights();
        Assert.Equal(0, scene.Gateway.Messages.Carried[weights]);
        Assert.Equal([("bytes=0-", 206)], scene.Store.Reads);
        Assert.True(report.BytesDown > length, $"{report.BytesDown} bytes were counted, the weights alone have {length}.");
        Assert.Equal(["Host", "Range"], scene.Store.Heads.Keys.Order(StringComparer.Ordinal));
        Assert.All(scene.Gateway.Messages.Carried.Where(entry => entry.Key != weights), entry => Assert.True(entry.Value > 0));
        Assert.Equal((RoundOutcome.Committed, 1), await scene.OutcomeAsync());
    }

    [Fact]
    public async Task Round_WithoutAddresses_AsksTheStoreNothing()
    {
        await using Scene scene = await Scene.OpenAsync(azurite, minutes: 0);

        _ = await scene.RunAsync();

        (ContentHash weights, long length) = scene.Weights();
        Assert.Equal(length, scene.Gateway.Messages.Carried[weights]);
        Assert.Empty(scene.Store.Reads);
    }

    [Theory]
    [InlineData("tampered", 403)]
    [InlineData("of another object", 403)]
    [InlineData("expired", 403)]
    [InlineData("unreachable", null)]
    public async Task Round_AddressThatLeadsToNothing_GoesOnWithTheServer(string address, int? status)
    {
        await using Scene scene = await Scene.OpenAsync(azurite);
        scene.Gateway.Messages.Address = given => address switch
        {
            "tampered" => scene.Store.Through(given.Replace("se=20", "se=21", StringComparison.Ordinal)),
            "of another object" => scene.Store.Through(given.Replace("/objects/", "/objects/0", StringComparison.Ordinal)),
            "expired" => scene.Store.Through(scene.Expired(given)),
            _ => "http://127.0.0.1:1/nobody/listens",
        };

        SessionReport report = await scene.RunAsync();

        (ContentHash weights, long length) = scene.Weights();
        Assert.Equal(SessionResult.Accepted, report.Result);
        Assert.Equal(length, scene.Gateway.Messages.Carried[weights]);
        Assert.Equal(status is null ? [] : [("bytes=0-", status.Value)], scene.Store.Reads);
        Assert.Equal((RoundOutcome.Committed, 1), await scene.OutcomeAsync());
    }

    [Fact]
    public async Task Round_BytesSpoiledOnTheWay_AreRefusedAndFetchedFromTheServer()
    {
        await using Scene scene = await Scene.OpenAsync(azurite);
        scene.Store.Spoils = true;

        _ = await scene.RunAsync();

        (ContentHash weights, long length) = scene.Weights();
        Assert.Equal([("bytes=0-", 206)], scene.Store.Reads);
        Assert.Equal(length, scene.Gateway.Messages.Carried[weights]);
        Assert.Equal((RoundOutcome.Committed, 1), await scene.OutcomeAsync());
    }

    [Fact]
    public async Task Round_WrongBytesInTheStore_AreNeverKept()
    {
        await using Scene scene = await Scene.OpenAsync(azurite);
        ConcurrentQueue<string> asked = new();
        scene.Gateway.Messages.Address = given =>
        {
            asked.Enqueue(given);
            return scene.Store.Through(given);
        };
        await scene.ReplaceLargeObjectsAsync();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        Task<SessionReport> running = scene.RunAsync(stop.Token);

        // Once with an address, and once from the server's own hand.
        await Eventually.HoldsAsync(
            "the weights are asked for again", () => scene.Gateway.Messages.Downloads.GroupBy(download => download.Content).Any(group => group.Count() > 1));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        Assert.Equal([("bytes=0-", 206)], scene.Store.Reads);
        Assert.Single(asked);
        Assert.All(
            Directory.EnumerateFiles(scene.Packages).Where(file => !file.EndsWith(".part", StringComparison.Ordinal)),
            file => Assert.Equal(Path.GetFileName(file), ContentHash.Of(File.ReadAllBytes(file)).Hex));
    }

    [Fact]
    public async Task Client_KilledWhileItReadsFromTheStore_GoesOnWhereItWas()
    {
        const int held = 300_000;
        await using Scene scene = await Scene.OpenAsync(azurite);
        scene.Store.StopsAfter = held;
        await using (ProgramRun first = scene.StartProgram())
        {
            await Eventually.HoldsAsync($"{held} bytes are on the disk", () =>
            {
                Assert.False(first.HasEnded, first.Said);
                return Directory.EnumerateFiles(scene.Packages, "*.part").Any(part => new FileInfo(part).Length == held);
            });
            await first.KillAsync();
        }

        scene.Store.StopsAfter = null;
        await using ProgramRun second = scene.StartProgram("--rounds", "1");
        Assert.True(await second.EndAsync() == 0, second.Said);

        (ContentHash weights, _) = scene.Weights();
        Assert.Equal([("bytes=0-", 206), ($"bytes={held}-", 206)], scene.Store.Reads);
        Assert.Equal(0, scene.Gateway.Messages.Carried[weights]);
        Assert.Equal((RoundOutcome.Committed, 1), await scene.OutcomeAsync());
    }

    [Fact]
    public async Task Serve_DirectDownloadsFromAFolder_ExitsWithTwo()
    {
        using TemporaryFolder folder = new();

        await using ProgramRun serve = ProgramRun.Start("Federated.Server", "serve", "--storage", folder.Path, "--insecure-loopback", "--direct-downloads-minutes", "5");

        Assert.Equal(2, await serve.EndAsync());
        await Eventually.HoldsAsync("it says why", () => serve.Said.Contains("a folder, which has no addresses", StringComparison.Ordinal));
    }

    /// <summary>A server over the emulator with a job for one device, whose ways to both are watched.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        private readonly TemporaryFolder _state = new();
        private readonly StorageOptions _storage;
        private readonly RunningServer _server;
        private readonly string _jobId;

        private Scene(StorageOptions storage, RunningServer server, WatchedGateway gateway, WatchedStore store, string jobId)
        {
            _storage = storage;
            _server = server;
            Gateway = gateway;
            Store = store;
            _jobId = jobId;
            Packages = Directory.CreateDirectory(Path.Combine(_state.Path, "packages")).FullName;
        }

        public WatchedGateway Gateway { get; }

        public WatchedStore Store { get; }

        public string Packages { get; }

        public static async Task<Scene> OpenAsync(AzuriteFixture azurite, int minutes = 5)
        {
            StorageOptions storage = new()
            {
                Kind = StorageKind.Azure, ConnectionString = azurite.ConnectionString, Container = azurite.NextContainer(), DirectDownloadMinutes = minutes,
            };
            RunningServer server = await RunningServer.StartAsync(storage);
            WatchedGateway gateway = await WatchedGateway.OpenAsync(server.Channel);
            WatchedStore store = await WatchedStore.OpenAsync(azurite.Address);
            gateway.Messages.Address = store.Through;
            return new Scene(storage, server, gateway, store, (await server.Api.SubmitJobAsync(Spec, Ct)).JobId);
        }

        public async Task<SessionReport> RunAsync(CancellationToken? stop = null)
        {
            await using GrpcServerLink link = GrpcServerLink.Connect(Gateway.Address, new GrpcLinkOptions());
            using ModelCache models = new(new ModelCacheOptions { Folder = Packages, TrainingThreads = 1 });
            ClientIdentity identity = new("pi", "direct", ImmutableDictionary<string, string>.Empty);
            ClientSession session = new(identity, link, models, Mnist.Slice(0, 40), new SessionOptions(), TimeProvider.System);
            return await session.RunOnceAsync(stop ?? Ct);
        }

        public ProgramRun StartProgram(params string[] more) => ProgramRun.Start(
            "Federated.Client",
            ["run", "--server", Gateway.Address.ToString(), "--device-id", "pi", "--population", "direct", "--state", _state.Path,
                "--data", $"idx:images={Mnist.TestImages},labels={Mnist.TestLabels},slice=0:40", .. more]);

        /// <summary>The one file that was fetched and is long enough for an address; whole and verified.</summary>
        public (ContentHash Hash, long Length) Weights()
        {
            FileInfo file = new(Assert.Single(Directory.EnumerateFiles(Packages), path => new FileInfo(path).Length >= Addressed));
            Assert.Equal(file.Name, ContentHash.Of(File.ReadAllBytes(file.FullName)).Hex);
            return (ContentHash.Parse(file.Name), file.Length);
        }

        public async Task<(RoundOutcome Outcome, int Accepted)> OutcomeAsync()
        {
            RoundRecord record = await _server.RecordAsync(_jobId, 1);
            return (record.Outcome, record.Accepted);
        }

        public string Expired(string address)
        {
            string name = new Uri(address).AbsolutePath;
            name = name[name.IndexOf("objects/", StringComparison.Ordinal)..];
            return Blobs().ReadAddress(name, TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(1)).AbsoluteUri;
        }

        public async Task ReplaceLargeObjectsAsync()
        {
            AzureBlobStore blobs = Blobs();
            await foreach (string name in blobs.ListAsync("objects/", Ct))
            {
                Blob blob = (await blobs.ReadAsync(name, Ct))!;
                if (blob.Content.Length >= Addressed)
                {
                    byte[] wrong = blob.Content.ToArray();
                    wrong[^1] ^= 1;
                    await blobs.WriteAsync(name, new ReadOnlySequence<byte>(wrong), WriteCondition.Always, Ct);
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await Store.DisposeAsync();
            await _server.DisposeAsync();
            _state.Dispose();
        }

        private const string Spec = """
            {
              "name": "direct", "population": "direct", "rounds": 1, "seed": 9,
              "model": { "builder": "mlp", "hidden": [200, 200], "lora": { "rank": 2, "targets": "dense" } },
              "cohort": { "goal": 1, "overSelection": 1.0, "quorum": 1.0, "minimumPool": 1 },
              "deadlines": { "reportSeconds": 100 },
              "training": { "epochs": 1, "batchSize": 10, "learningRate": 0.05 }
            }
            """;

        private AzureBlobStore Blobs() => new(_storage.ConnectionString!, _storage.Container);
    }
}
