using System.Collections.Immutable;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary>A server whose store is set back to an earlier one, while the devices remember what they did since.</summary>
public sealed class RestoredBackupTests
{
    private const int Devices = 6;
    private const int BackedUpIn = 2;
    private const int RestoredIn = 5;
    private const int Rounds = 5;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Restore_EarlierStore_AMaskedJobGoesOnBehindTheRoundsThatWereLost()
    {
        using TemporaryFolder folder = new();
        using EnrolledFleet keys = new(KillableFleet.Names(Devices));
        string keyFile = Path.Combine(folder.Path, "devices.json");
        string store = Path.Combine(folder.Path, "store");
        string backup = Path.Combine(folder.Path, "backup");
        keys.WriteFile(keyFile);
        string[] arguments = ["--grpc-port", $"{FreePort.Find()}", "--device-keys", keyFile];
        Gate backedUp = new();
        Gate restored = new();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        Task fleet = Task.CompletedTask;
        ServerProcess server = await ServerProcess.StartAsync(store, arguments);
        try
        {
            await keys.KnowAsync(server.Api);
            JobStatus job = await server.Api.SubmitJobAsync(
                SecureJob.Spec(Devices, """{ "secure": { "minMembers": 4, "stepSeconds": 120 } }""", Rounds, quorum: 1, reportSeconds: 600), Ct);
            Uri address = server.GrpcAddress;
            fleet = Task.WhenAll(Enumerable.Range(0, Devices).Select(device => Task.Run(() => ServeAsync(device, address, keys, StandAsync, stop.Token))));

            await backedUp.FilledAsync();
            await server.KillAsync();
            await server.DisposeAsync();
            Copy(store, backup);
            server = await ServerProcess.StartAsync(store, arguments);
            backedUp.Open();

            await restored.FilledAsync();
            await server.KillAsync();
            await server.DisposeAsync();
            server = await ServerProcess.StartAsync(backup, arguments);
            restored.Open();

            job = await RunningServer.EndAsync(server.Api, job.JobId);
            List<RoundRecord> records = await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, Ct);
            Assert.True(job.State == JobState.Completed, $"{job.State}: {job.Reason} {server.Said}");
            Assert.Equal([1, 2, 5, 6, 7], records.Select(record => record.Round));
            Assert.Equal((2, 7), (job.SkippedRounds, job.MaxRounds));
            Assert.Equal(4, job.ModelVersion);
            Assert.Equal(Devices, records[1].Dropped[RoundStateMachine.AheadReason]);
            Assert.EndsWith("the next round is 5", records[1].Reason, StringComparison.Ordinal);
            Assert.All(records.Where(record => record.Round != BackedUpIn), record => Assert.Equal((Devices, ""), (record.Accepted, record.Reason)));
        }
        finally
        {
            await stop.CancelAsync();
            await fleet;
            await server.KillAsync();
            await server.DisposeAsync();
        }

        // The backup is made while a round has its cohort, and given back before the last round's inputs have left.
        Task StandAsync(PlanDocument plan, CancellationToken ct) => plan.Round switch
        {
            BackedUpIn => backedUp.PassAsync(ct),
            RestoredIn => restored.PassAsync(ct),
            _ => Task.CompletedTask,
        };
    }

    private static async Task ServeAsync(int device, Uri server, EnrolledFleet keys, Func<PlanDocument, CancellationToken, Task> stand, CancellationToken stop)
    {
        using ModelCache models = new(new ModelCacheOptions { TrainingThreads = 1 });
        await using GrpcServerLink link = GrpcServerLink.Connect(server, new GrpcLinkOptions());
        ClientSession session = new(
            new ClientIdentity(KillableFleet.NameOf(device), "killable", ImmutableDictionary<string, string>.Empty),
            link,
            models,
            Mnist.Slice(device * 60, 60),
            new SessionOptions { PauseAfterFailure = TimeSpan.Zero, LongestBackoff = TimeSpan.FromMilliseconds(500) },
            TimeProvider.System,
            new Standing(stand),
            new DeviceMemory(),
            keys.Of(device));
        await DeviceLoop.RunAsync(session.RunOnceAsync, stop);
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            _ = Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>Where all devices stand until it opens.</summary>
    private sealed class Gate
    {
        private readonly CountdownEvent _standing = new(Devices);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task FilledAsync() => Eventually.HoldsAsync("all devices stand at the gate", () => _standing.IsSet);

        public void Open() => _open.SetResult();

        public Task PassAsync(CancellationToken ct)
        {
            if (!_open.Task.IsCompleted)
            {
                _ = _standing.Signal();
            }

            return _open.Task.WaitAsync(ct);
        }
    }

    private sealed class Standing(Func<PlanDocument, CancellationToken, Task> stand) : ISessionObserver
    {
        public async ValueTask AssignedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct) => await stand(plan, ct);

        public ValueTask TrainedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask AnsweringAsync(ClientIdentity who, PlanDocument plan, GroupStep step, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask EndedAsync(ClientIdentity who, SessionReport report, CancellationToken ct) => ValueTask.CompletedTask;
    }
}
