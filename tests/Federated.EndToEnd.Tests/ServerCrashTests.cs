using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.EndToEnd.Tests;

/// <summary>
/// The server program is killed in round after round of one job, each time at another point, and started again on the same store. Every
/// acknowledgement that ever left it is recorded here; in the end each must be in its round exactly once, and every model must be the exact
/// mean of what its contributors sent.
/// </summary>
public sealed class ServerCrashTests : IAsyncDisposable
{
    private const int CohortSize = 8;
    private const int Goal = 6;
    private const int Parameters = 3_000;

    private readonly TemporaryFolder _store = new();
    private readonly List<(string DeviceId, long Round)> _acknowledged = [];
    private ServerProcess? _server;
    private GrpcChannel? _channel;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kill_AtManyPointsOfARound_LosesNoAcknowledgedUpdateAndCountsNoneTwice()
    {
        // How many acknowledgements to wait for before the kill; from the goal on the commit is under way.
        int[] killAfter = [1, 3, Goal - 1, Goal];
        int rounds = killAfter.Length + 3;
        await StartAsync();
        JobStatus job = await _server!.Api.SubmitJobAsync(VectorJob.Spec("crash", CohortSize, Goal, rounds, Parameters, population: "crash"), Ct);

        for (int round = 1; round <= killAfter.Length; round++)
        {
            PlanDocument plan = await OpenRoundAsync(round);
            await SubmitUntilKilledAsync(plan, killAfter[round - 1]);
            await StartAsync();
            await SubmitAgainAsync(plan);
        }

        // Between the checkpoint of the new version and the job's own state.
        PlanDocument late = await OpenRoundAsync(killAfter.Length + 1);
        Task submissions = SubmitAllAsync(late, acknowledgedEnough: null);
        await Eventually.HoldsAsync("the checkpoint is written", () => File.Exists(CheckpointOf(job.JobId, late.ModelVersion + 1)));
        await KillAsync();
        await submissions;
        await StartAsync();
        await SubmitAgainAsync(late);

        // As soon as the round itself is durable, before the job knows of it or a device has its plan.
        Task assignments = CheckInUntilKilledAsync();
        await Eventually.HoldsAsync("the next round is opened", () => File.Exists(StateOfRound(job.JobId, late.Round + 1)));
        await KillAsync();
        await assignments;
        await StartAsync();
        PlanDocument opened = await OpenRoundAsync(late.Round + 1);
        await SubmitAllAsync(opened, acknowledgedEnough: null);

        // And one without a fault, so that the end is not a crash's doing.
        PlanDocument last = await OpenRoundAsync(rounds);
        await SubmitAllAsync(last, acknowledgedEnough: null);
        JobStatus end = await RunningServer.EndAsync(_server!.Api, job.JobId);

        Assert.True(end.State == JobState.Completed, $"{end.State}: {end.Reason}. {_server.Said}");
        await AssertRecordsAsync(job.JobId, rounds);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _store.Dispose();
    }

    private async Task AssertRecordsAsync(string jobId, int rounds)
    {
        List<RoundRecord> records = await _server!.Api.RoundsAsync(jobId, 0, TimeSpan.Zero, Ct);
        Assert.Equal(rounds, records.Count);
        float[] adapter = new float[Parameters];
        for (int round = 1; round <= rounds; round++)
        {
            RoundRecord record = records[round - 1];
            Assert.Equal(round, record.Round);
            Assert.Equal(RoundOutcome.Committed, record.Outcome);
            Assert.Equal(record.Contributors.Distinct(), record.Contributors);
            Assert.Equal(record.Contributors.Count, record.Accepted);
            Assert.InRange(record.Accepted, Goal, CohortSize);
            string[] acknowledged = [.. _acknowledged.Where(a => a.Round == round).Select(a => a.DeviceId)];
            Assert.NotEmpty(acknowledged);
            Assert.Subset(record.Contributors.ToHashSet(), acknowledged.ToHashSet());

            StubUpdate[] updates = [.. record.Contributors.Select(device => StubUpdate.For(device, jobId, round, round - 1, Parameters))];
            Assert.Equal(updates.Sum(update => (long)update.Weight), record.Examples);
            adapter = ExactMean.Step(adapter, updates);
            Assert.Equal(ExactMean.Sha256Of(round, adapter), record.AdapterSha256);
        }

        Assert.Equal(AdapterDocument.ToBytes(rounds, adapter), await _server.Api.AdapterAsync(jobId, Ct));
    }

    private async Task<PlanDocument> OpenRoundAsync(long round)
    {
        PlanDocument[] plans = await Task.WhenAll(Devices().Select(device => device.CheckInAsync()));
        Assert.All(plans, plan => Assert.Equal(round, plan.Round));
        return plans[0];
    }

    private async Task CheckInUntilKilledAsync()
    {
        try
        {
            await Task.WhenAll(Devices().Select(device => device.CheckInAsync()));
        }
        catch (RpcException)
        {
            // The server died before it answered.
        }
    }

    /// <summary>
    /// All devices submit at once; the server is killed as soon as so many of them are acknowledged, while it is busy with the others.
    /// </summary>
    private async Task SubmitUntilKilledAsync(PlanDocument plan, int acknowledgements)
    {
        TaskCompletionSource enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int count = 0;
        Task submissions = SubmitAllAsync(plan, () =>
        {
            if (Interlocked.Increment(ref count) == acknowledgements)
            {
                enough.SetResult();
            }
        });
        await enough.Task.WaitAsync(Eventually.Deadline, Ct);
        await KillAsync();
        await submissions;
    }

    private Task SubmitAllAsync(PlanDocument plan, Action? acknowledgedEnough) =>
        Task.WhenAll(Devices().Select(device => SubmitAsync(device, plan, acknowledgedEnough)));

    private async Task SubmitAsync(StubDevice device, PlanDocument plan, Action? acknowledged)
    {
        SubmitReply reply;
        try
        {
            reply = await device.SubmitAsync(plan);
        }
        catch (RpcException)
        {
            // The server died before it answered: the device knows nothing.
            return;
        }

        Assert.True(
            reply.Outcome is SubmitOutcome.Accepted or SubmitOutcome.Duplicate or SubmitOutcome.Late,
            $"{device.Id} was answered {reply.Outcome}: {reply.Detail}");
        if (reply.Outcome != SubmitOutcome.Late)
        {
            lock (_acknowledged)
            {
                _acknowledged.Add((device.Id, plan.Round));
            }

            acknowledged?.Invoke();
        }
    }

    /// <summary>Everybody submits once more, whether acknowledged or not: who was must be told that the update is held already.</summary>
    private async Task SubmitAgainAsync(PlanDocument plan)
    {
        string[] before = [.. _acknowledged.Where(a => a.Round == plan.Round).Select(a => a.DeviceId)];
        await Task.WhenAll(Devices().Select(async device =>
        {
            if (before.Contains(device.Id))
            {
                Assert.Equal(SubmitOutcome.Duplicate, (await device.SubmitAsync(plan)).Outcome);
            }
            else
            {
                await SubmitAsync(device, plan, null);
            }
        }));
    }

    private IEnumerable<StubDevice> Devices() => Enumerable.Range(0, CohortSize).Select(i => new StubDevice($"crash-{i}", "crash", _channel!));

    private string CheckpointOf(string jobId, long version) => Path.Combine(_store.Path, "jobs", jobId, "checkpoints", $"{version:D8}");

    private string StateOfRound(string jobId, long round) => Path.Combine(_store.Path, "grains", "round", "round", $"{jobId}_2f{round}.json");

    private async Task StartAsync()
    {
        _server = await ServerProcess.StartAsync(_store.Path);
        _channel = GrpcChannel.ForAddress(_server.GrpcAddress);
    }

    private async Task KillAsync()
    {
        if (_server is { } server)
        {
            _server = null;
            await server.KillAsync();
            await server.DisposeAsync();
            _channel!.Dispose();
        }
    }
}
