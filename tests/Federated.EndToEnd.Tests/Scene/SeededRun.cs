using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Shared.Models;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>A small job on real MNIST with real client sessions, from a fresh store: what it gave.</summary>
/// <param name="Job">The job in the end.</param>
/// <param name="Records">Its rounds.</param>
/// <param name="AdapterSha256">Hash of the adapter as the API hands it out.</param>
internal sealed record SeededRun(JobStatus Job, IReadOnlyList<RoundRecord> Records, string AdapterSha256)
{
    public const int Rounds = 3;

    private const int Devices = 10;
    private const int ExamplesPerDevice = 60;

    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web);
    private static readonly Lazy<Task<SeededRun>> _baseline = new(() => RunAsync());

    /// <summary>The run that others are compared with: seed 7, files, one thread.</summary>
    public static Task<SeededRun> BaselineAsync() => _baseline.Value;

    /// <summary>Runs it to the end; through the relay, when there is one. Then only the device that fetched what all share is charged for it.</summary>
    public static async Task<SeededRun> RunAsync(
        StorageOptions? storage = null,
        int threads = 1,
        ulong seed = 7,
        string update = "{}",
        string? training = null,
        string aggregation = "{}",
        CountingRelay? relay = null,
        string further = "")
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        using EnrolledFleet fleetKeys = new([.. Enumerable.Range(0, Devices).Select(NameOf)]);
        await using RunningServer server = await RunningServer.StartAsync(storage, threads, fleetKeys.Devices);
        await fleetKeys.KnowAsync(server.Api);
        JobStatus job = await server.Api.SubmitJobAsync(Spec(seed, update, training ?? """{ "epochs": 2, "batchSize": 10, "learningRate": 0.1 }""", aggregation, further), ct);
        await using GrpcServerLink link = GrpcServerLink.Connect(relay?.To(server.GrpcAddress) ?? server.GrpcAddress, new GrpcLinkOptions());
        using ModelCache models = new(new ModelCacheOptions { ChargeEveryDevice = relay is null, TrainingThreads = threads });
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task fleet = Task.WhenAll(Enumerable.Range(0, Devices).Select(i => ServeAsync(i, link, models, fleetKeys, stop.Token)));

        job = await server.EndAsync(job.JobId);
        List<RoundRecord> records = await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, ct);
        string adapter = ContentHash.Of(await server.Api.AdapterAsync(job.JobId, ct)).Hex;
        await stop.CancelAsync();
        await fleet;
        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal(Rounds, records.Count);
        return new SeededRun(job, records, adapter);
    }

    /// <summary>A record's text without what depends on clock and machine.</summary>
    public static string Repeatable(RoundRecord record)
    {
        JsonObject json = JsonSerializer.SerializeToNode(record, _json)!.AsObject();
        Assert.True(json.Remove("timing"));
        return json.ToJsonString();
    }

    private static async Task ServeAsync(int index, GrpcServerLink link, ModelCache models, EnrolledFleet keys, CancellationToken ct)
    {
        ClientIdentity identity = new(NameOf(index), "seeded", ImmutableDictionary<string, string>.Empty);
        ClientSession session = new(
            identity, link, models, Mnist.Slice(index * ExamplesPerDevice, ExamplesPerDevice), new SessionOptions(), TimeProvider.System,
            enrollment: keys.Of(index));
        await DeviceLoop.RunAsync(session.RunOnceAsync, ct);
    }

    private static string NameOf(int index) => $"device-{index:D2}";

    private static string Spec(ulong seed, string update, string training, string aggregation, string further) => $$"""
        {
          "name": "seeded", "population": "seeded", "seed": {{seed}}, "rounds": {{Rounds}},
          "model": { "builder": "mlp", "hidden": [24] },
          "cohort": { "goal": 5, "overSelection": 1.0, "quorum": 1.0, "minimumPool": {{Devices}} },
          "training": {{training}},
          "update": {{update}},
          "aggregation": {{aggregation}},{{further}}
          "evaluation": { "data": { "kind": "idx", "images": "{{Mnist.TestImages}}", "labels": "{{Mnist.TestLabels}}" } }
        }
        """;
}
