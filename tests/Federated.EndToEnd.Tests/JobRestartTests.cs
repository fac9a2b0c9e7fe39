using System.Text.Json.Nodes;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.EndToEnd.Tests;

/// <summary>What a server makes of a store that a killed or an older one left.</summary>
public sealed class JobRestartTests : IAsyncDisposable
{
    private readonly TemporaryFolder _store = new();
    private ServerProcess? _server;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Restart_KilledBetweenTheLastCommitAndTheEnd_EndsWithoutAnotherRound()
    {
        JobStatus ended = await RunToItsEndAsync("whole");
        await RewriteAsync(ended.JobId, state => state["state"] = "running");

        _server = await ServerProcess.StartAsync(_store.Path);
        JobStatus again = await RunningServer.EndAsync(_server.Api, ended.JobId);

        Assert.Equal((JobState.Completed, 1L, ended.AdapterSha256), (again.State, again.Round, again.AdapterSha256));
        Assert.Single(await _server.Api.RoundsAsync(ended.JobId, 0, TimeSpan.Zero, Ct));
    }

    [Fact]
    public async Task Restart_OneJobCannotBeRead_TheOthersGoOn()
    {
        JobStatus broken = await RunToItsEndAsync("broken");
        await RewriteAsync(broken.JobId, state => state["specJson"] = """{ "name": "broken", "unknown": 1 }""");

        _server = await ServerProcess.StartAsync(_store.Path);
        JobStatus other = await _server.Api.SubmitJobAsync(VectorJob.Spec("other", 1, 1, 1, 10, population: "other"), Ct);

        List<JobStatus> jobs = await _server.Api.JobsAsync(Ct);
        Assert.Equal([broken.JobId, other.JobId], jobs.Select(job => job.JobId));
        Assert.Contains("cannot be read", jobs[0].Reason, StringComparison.Ordinal);
        Assert.Equal(JobState.Running, jobs[1].State);
        Assert.Equal(other.JobId, Assert.Single(await _server.Api.ModelsAsync(Ct)).JobId);
        (int exitCode, string table) = await ProgramRun.RunAsync("Federated.Server", "jobs", "list", "--server", _server.Api.Address.ToString());
        Assert.True(exitCode == 0, table);
        Assert.Contains("cannot be read", table, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restart_PausedDuringARound_LetsTheRoundEndAndBeginsNone()
    {
        (JobStatus job, PlanDocument plan) = await OpenRoundAsync("halted");
        await SubmitAsync("halted-0", plan);
        await _server!.Api.PauseJobAsync(job.JobId, Ct);
        await KillAsync();

        _server = await ServerProcess.StartAsync(_store.Path);
        await SubmitAsync("halted-1", plan);

        RoundRecord record = await RecordAsync(job.JobId);
        Assert.Equal((RoundOutcome.Committed, 2), (record.Outcome, record.Accepted));
        JobStatus after = await _server.Api.GetJobAsync(job.JobId, Ct);
        Assert.Equal((JobState.Paused, 1L), (after.State, after.Round));
    }

    [Fact]
    public async Task Restart_PausedDuringARoundAndThenCancelled_RecordsTheRound()
    {
        (JobStatus job, _) = await OpenRoundAsync("dropped");
        await _server!.Api.PauseJobAsync(job.JobId, Ct);
        await KillAsync();

        _server = await ServerProcess.StartAsync(_store.Path);
        Assert.Equal(JobState.Cancelled, (await _server.Api.CancelJobAsync(job.JobId, Ct)).State);

        await AssertCancelledAsync(job);
    }

    [Fact]
    public async Task Restart_KilledWhileACancelledRoundEnded_RecordsTheRound()
    {
        (JobStatus job, _) = await OpenRoundAsync("unfinished");
        await KillAsync();
        await RewriteAsync(job.JobId, state => state["state"] = "cancelled");

        _server = await ServerProcess.StartAsync(_store.Path);

        await AssertCancelledAsync(job);
    }

    [Fact]
    public async Task Cancel_RecordCannotBeWrittenAtFirst_IsRecordedOnceItCan()
    {
        (JobStatus job, _) = await OpenRoundAsync("hindered");
        string inTheWay = Path.Combine(_store.Path, "jobs", job.JobId, "rounds", "00000001.json");
        Directory.CreateDirectory(inTheWay);
        await _server!.Api.CancelJobAsync(job.JobId, Ct);
        await Eventually.HoldsAsync("the round broke off", () => _server.Said.Contains("broke off", StringComparison.Ordinal));
        Directory.Delete(inTheWay);

        await AssertCancelledAsync(job);
    }

    [Fact]
    public async Task Download_OfAnObjectThatIsSpoilt_IsTheServersFaultAndLogged()
    {
        JobStatus ended = await RunToItsEndAsync("spoilt");
        string file = Path.Combine(_store.Path, ContentStore.BlobName(ContentHash.Parse(ended.AdapterSha256)));
        byte[] bytes = await File.ReadAllBytesAsync(file, Ct);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, Ct);

        _server = await ServerProcess.StartAsync(_store.Path);
        using GrpcChannel channel = GrpcChannel.ForAddress(_server.GrpcAddress);
        using AsyncServerStreamingCall<DownloadChunk> call = new TransferService.TransferServiceClient(channel).Download(
            new DownloadRequest { Sha256 = ByteString.CopyFrom(ContentHash.Parse(ended.AdapterSha256).ToBytes()) }, cancellationToken: Ct);
        RpcException failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Ct));

        Assert.Equal((StatusCode.Unavailable, "1000"), (failure.StatusCode, failure.Trailers.GetValue(ErrorCatalogue.TrailerName)));
        await Eventually.HoldsAsync("the failure is logged", () => _server.Said.Contains("is corrupt", StringComparison.Ordinal));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _store.Dispose();
    }

    private async Task<JobStatus> RunToItsEndAsync(string name)
    {
        _server = await ServerProcess.StartAsync(_store.Path);
        JobStatus job = await _server.Api.SubmitJobAsync(VectorJob.Spec(name, 1, 1, 1, 10, population: name), Ct);
        using GrpcChannel channel = GrpcChannel.ForAddress(_server.GrpcAddress);
        StubDevice device = new($"{name}-0", name, channel);
        PlanDocument plan = await device.CheckInAsync();
        Assert.Equal(SubmitOutcome.Accepted, (await device.SubmitAsync(plan)).Outcome);
        JobStatus ended = await RunningServer.EndAsync(_server.Api, job.JobId);
        Assert.Equal(JobState.Completed, ended.State);
        await KillAsync();
        return ended;
    }

    /// <summary>Starts the server and a job whose first round waits for two devices.</summary>
    private async Task<(JobStatus Job, PlanDocument Plan)> OpenRoundAsync(string name)
    {
        _server = await ServerProcess.StartAsync(_store.Path);
        JobStatus job = await _server.Api.SubmitJobAsync(VectorJob.Spec(name, 2, 2, 2, 10, population: name), Ct);
        using GrpcChannel channel = GrpcChannel.ForAddress(_server.GrpcAddress);
        PlanDocument[] plans = await Task.WhenAll(Enumerable.Range(0, 2).Select(i => new StubDevice($"{name}-{i}", name, channel).CheckInAsync()));
        return (job, plans[0]);
    }

    private async Task SubmitAsync(string device, PlanDocument plan)
    {
        using GrpcChannel channel = GrpcChannel.ForAddress(_server!.GrpcAddress);
        Assert.Equal(SubmitOutcome.Accepted, (await new StubDevice(device, "", channel).SubmitAsync(plan)).Outcome);
    }

    private Task<RoundRecord> RecordAsync(string jobId) => Eventually.GetAsync(
        $"the round of {jobId} is recorded", async () => (await _server!.Api.RoundsAsync(jobId, 0, TimeSpan.FromSeconds(1), Ct)).FirstOrDefault());

    private async Task AssertCancelledAsync(JobStatus job)
    {
        RoundRecord record = await RecordAsync(job.JobId);
        Assert.Equal((RoundOutcome.Abandoned, "the job was cancelled"), (record.Outcome, record.Reason));
        JobStatus after = await _server!.Api.GetJobAsync(job.JobId, Ct);
        Assert.Equal((JobState.Cancelled, 1L, job.AdapterSha256), (after.State, after.Round, after.AdapterSha256));
    }

    private async Task RewriteAsync(string jobId, Action<JsonObject> change)
    {
        string file = Path.Combine(_store.Path, "grains", "job", "job", $"{jobId}.json");
        JsonObject state = JsonNode.Parse(await File.ReadAllTextAsync(file, Ct))!.AsObject();
        change(state);
        await File.WriteAllTextAsync(file, state.ToJsonString(), Ct);
    }

    private async Task KillAsync()
    {
        if (_server is { } server)
        {
            _server = null;
            await server.KillAsync();
            await server.DisposeAsync();
        }
    }
}
