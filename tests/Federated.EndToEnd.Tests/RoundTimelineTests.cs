using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Api;
using Federated.Server.Collection;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Federated.EndToEnd.Tests;

/// <summary>What every device did in a round, as the API tells it while the round runs, afterwards, and after a restart.</summary>
public sealed class RoundTimelineTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Clients_DoneAndLate_AreToldAsTheyEndedEvenAfterARestart()
    {
        using TemporaryFolder folder = new();
        StorageOptions storage = new() { Kind = StorageKind.Files, Path = folder.Path };
        RoundTimeline before;
        string jobId;
        await using (RunningServer server = await RunningServer.StartAsync(storage))
        {
            VectorJob job = await VectorJob.SubmitAsync(server, "timeline", devices: 3, goal: 2, rounds: 1, quorum: 0.5);
            jobId = job.JobId;
            PlanDocument plan = await job.OpenRoundAsync();
            RoundTimeline open = await server.Api.TimelineAsync(jobId, 1, Ct);
            Assert.True(open.Open);
            Assert.Equal(job.Devices.Select(device => device.Id), open.Clients.Select(client => client.DeviceId));
            Assert.All(open.Clients, client => Assert.Equal(ClientOutcome.Working, client.Outcome));

            StubUpdate update = StubUpdate.For(job.Devices[0].Id, plan);
            byte[] payload = update.ToPayload();
            SubmitHeader header = update.HeaderFor(payload);
            header.Costs = new ClientCosts { DownloadSeconds = 1.5, ComputeSeconds = 2.5, EncodeSeconds = 0.25, PeakMemoryBytes = 4096 };
            Assert.Equal(SubmitOutcome.Accepted, (await job.Devices[0].SubmitAsync(header, payload)).Outcome);
            await VectorJob.ContributeAsync(plan, job.Devices[1]);
            RoundRecord record = await server.RecordAsync(jobId, 1);
            Assert.Equal(JsonSerializer.Serialize(record), JsonSerializer.Serialize(await server.Api.RoundAsync(jobId, 1, Ct)));
            Assert.Equal(ClientOutcome.Missing, (await server.Api.TimelineAsync(jobId, 1, Ct)).Clients[2].Outcome);
            Assert.Equal(SubmitOutcome.Late, (await job.Devices[2].SubmitAsync(plan)).Outcome);

            before = await server.Api.TimelineAsync(jobId, 1, Ct);
        }

        Assert.False(before.Open);
        Assert.Equal([ClientOutcome.Done, ClientOutcome.Done, ClientOutcome.Late], before.Clients.Select(client => client.Outcome));
        Assert.Equal((1.5, 2.5, 0.25, 4096L), (before.Clients[0].DownloadSeconds, before.Clients[0].ComputeSeconds, before.Clients[0].EncodeSeconds, before.Clients[0].PeakMemoryBytes));
        Assert.All(before.Clients, client => Assert.True(client.CheckedInAt <= client.AssignedAt && client.AssignedAt <= client.EndedAt));

        await using RunningServer restarted = await RunningServer.StartAsync(storage);
        RoundTimeline after = await restarted.Api.TimelineAsync(jobId, 1, Ct);
        Assert.Equal(before.Clients, after.Clients);
    }

    [Fact]
    public async Task Save_WhileAnEarlierStateIsBeingWritten_LeavesTheLaterOne()
    {
        using TemporaryFolder folder = new();
        using FileBlobStore files = new(folder.Path, new FileBlobStoreOptions(), TimeProvider.System);
        HeldBlobs held = new(files);
        TimelineRecorder recorder = new(TimeProvider.System);
        RoundTimelines timelines = new(held, recorder, NullLogger<RoundTimelines>.Instance);
        recorder.Assigned("job-1", 1, "slow", recorder.Now);
        recorder.Close("job-1", 1, [], ImmutableDictionary<string, string>.Empty);

        Task missing = timelines.SaveAsync("job-1", 1, Ct);
        recorder.Answered("job-1", 1, "slow", ClientOutcome.Late, "LATE");
        Task late = timelines.SaveAsync("job-1", 1, Ct);
        Assert.Equal(1, held.Writes);
        held.Gate.SetResult();
        await missing;
        await late;

        RoundTimelines afterARestart = new(files, new TimelineRecorder(TimeProvider.System), NullLogger<RoundTimelines>.Instance);
        Assert.Equal(2, held.Writes);
        Assert.Equal(ClientOutcome.Late, Assert.Single((await afterARestart.FindAsync("job-1", 1, Ct))!.Clients).Outcome);
    }

    [Fact]
    public async Task Round_NoSuchNumber_IsNotFound()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        VectorJob job = await VectorJob.SubmitAsync(server, "numbers", devices: 1, goal: 1, rounds: 1);
        foreach (long round in new[] { long.MinValue, -1, 0, 1, 2, long.MaxValue })
        {
            ServerApiException record = await Assert.ThrowsAsync<ServerApiException>(() => server.Api.RoundAsync(job.JobId, round, Ct));
            ServerApiException timeline = await Assert.ThrowsAsync<ServerApiException>(() => server.Api.TimelineAsync(job.JobId, round, Ct));

            Assert.Equal((int)Federated.Shared.Protocol.ErrorCode.NotFound, record.Error!.Code);
            Assert.Equal((int)Federated.Shared.Protocol.ErrorCode.NotFound, timeline.Error!.Code);
        }
    }

    /// <summary>A store whose writes wait for the test, which counts them.</summary>
    private sealed class HeldBlobs(IBlobStore store) : IBlobStore
    {
        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Writes { get; private set; }

        public Task<Blob?> ReadAsync(string name, CancellationToken cancellationToken) => store.ReadAsync(name, cancellationToken);

        public Task<Stream?> OpenReadAsync(string name, long offset, CancellationToken cancellationToken) => store.OpenReadAsync(name, offset, cancellationToken);

        public async Task<string> WriteAsync(string name, ReadOnlySequence<byte> content, WriteCondition condition, CancellationToken cancellationToken)
        {
            Writes++;
            await Gate.Task;
            return await store.WriteAsync(name, content, condition, cancellationToken);
        }

        public Task<bool> DeleteAsync(string name, WriteCondition condition, CancellationToken cancellationToken) => store.DeleteAsync(name, condition, cancellationToken);

        public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken) => store.ListAsync(prefix, cancellationToken);

        public Task<long?> LengthAsync(string name, CancellationToken cancellationToken) => store.LengthAsync(name, cancellationToken);

        public Task<bool> ExistsAsync(string name, CancellationToken cancellationToken) => store.ExistsAsync(name, cancellationToken);
    }
}
