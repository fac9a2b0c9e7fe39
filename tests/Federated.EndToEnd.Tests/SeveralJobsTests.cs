using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.EndToEnd.Tests;

/// <summary>Jobs beside each other, and a person who steers them.</summary>
public sealed class SeveralJobsTests(RunningServer server) : IClassFixture<RunningServer>
{
    private static readonly TimeSpan _shortHold = TimeSpan.FromMilliseconds(200);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TwoJobs_OnOnePopulation_BothComplete()
    {
        const int rounds = 4;
        JobStatus[] jobs =
        [
            await server.Api.SubmitJobAsync(VectorJob.Spec("left", devices: 3, goal: 3, rounds, parameters: 32, population: "shared"), Ct),
            await server.Api.SubmitJobAsync(VectorJob.Spec("right", devices: 4, goal: 4, rounds, parameters: 48, population: "shared"), Ct),
        ];
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        Task fleet = Task.WhenAll(Enumerable.Range(0, 8).Select(i => ServeAsync(new StubDevice($"both-{i}", "shared", server.Channel), stop.Token)));

        foreach (JobStatus job in jobs)
        {
            JobStatus end = await server.EndAsync(job.JobId);
            Assert.Equal(JobState.Completed, end.State);
            Assert.Equal(rounds, end.ModelVersion);
        }

        await stop.CancelAsync();
        await fleet;
        await AssertExactAsync(jobs[0].JobId, parameters: 32, rounds);
        await AssertExactAsync(jobs[1].JobId, parameters: 48, rounds);
        List<string> listed = [.. (await server.Api.JobsAsync(Ct)).Select(job => job.JobId)];
        Assert.Contains(jobs[0].JobId, listed);
        Assert.Contains(jobs[1].JobId, listed);
    }

    // Adapters are named by their content, so two jobs that begin alike share one object.
    [Fact]
    public async Task Job_WhoseAdapterAnotherJobForgets_KeepsIt()
    {
        const int parameters = 72;
        VectorJob behind = await VectorJob.SubmitAsync(server, "behind", devices: 1, goal: 1, rounds: 1, parameters);
        VectorJob ahead = await VectorJob.SubmitAsync(server, "ahead", devices: 1, goal: 1, rounds: 8, parameters);
        Assert.Equal(behind.AdapterSha256, ahead.AdapterSha256);
        for (int i = 0; i < 8; i++)
        {
            await ahead.HonestRoundAsync();
        }

        await server.EndAsync(ahead.JobId);
        Assert.Equal(AdapterDocument.ToBytes(0, new float[parameters]), await server.Api.AdapterAsync(behind.JobId, Ct));
        await behind.HonestRoundAsync();
    }

    [Fact]
    public async Task Pause_WhileSelecting_BeginsNoRoundUntilResumed()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "paused", devices: 2, goal: 2, rounds: 2);
        await job.HonestRoundAsync();
        Assert.Equal(JobState.Paused, (await server.Api.PauseJobAsync(job.JobId, Ct)).State);

        await AssertNobodyIsAssignedAsync(job);
        Assert.Equal(1, (await server.Api.GetJobAsync(job.JobId, Ct)).Round);
        Assert.Equal(JobState.Running, (await server.Api.ResumeJobAsync(job.JobId, Ct)).State);

        await job.HonestRoundAsync();
        Assert.Equal(JobState.Completed, (await server.EndAsync(job.JobId)).State);
    }

    [Fact]
    public async Task Pause_DuringARound_LetsItEnd()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "halted", devices: 2, goal: 2, rounds: 2);
        PlanDocument plan = await job.OpenRoundAsync();
        await server.Api.PauseJobAsync(job.JobId, Ct);
        await VectorJob.ContributeAsync(plan, job.Devices);
        await job.CommittedAsync(plan, job.Devices);
        await AssertNobodyIsAssignedAsync(job);
        await server.Api.ResumeJobAsync(job.JobId, Ct);
        await job.HonestRoundAsync();
    }

    [Fact]
    public async Task Cancel_WhileSelecting_EndsTheJobWithoutARound()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "withdrawn", devices: 2, goal: 2, rounds: 2);

        Assert.Equal(JobState.Cancelled, (await server.Api.CancelJobAsync(job.JobId, Ct)).State);

        await AssertNobodyIsAssignedAsync(job);
        Assert.Empty(await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, Ct));
    }

    [Fact]
    public async Task Steering_AJobThatHasEnded_IsRefusedByItsState()
    {
        VectorJob cancelled = await VectorJob.SubmitAsync(server, "ended", devices: 1, goal: 1, rounds: 1);
        await server.Api.CancelJobAsync(cancelled.JobId, Ct);
        VectorJob completed = await VectorJob.SubmitAsync(server, "finished", devices: 1, goal: 1, rounds: 1);
        await completed.HonestRoundAsync();
        await server.EndAsync(completed.JobId);

        await AssertRefusedAsync($"Job {cancelled.JobId} is cancelled and cannot be resumed", () => server.Api.ResumeJobAsync(cancelled.JobId, Ct));
        await AssertRefusedAsync($"Job {cancelled.JobId} is cancelled and cannot be paused", () => server.Api.PauseJobAsync(cancelled.JobId, Ct));
        await AssertRefusedAsync($"Job {completed.JobId} is completed and cannot be resumed", () => server.Api.ResumeJobAsync(completed.JobId, Ct));
        await AssertRefusedAsync($"Job {completed.JobId} is completed and cannot be cancelled", () => server.Api.CancelJobAsync(completed.JobId, Ct));
    }

    [Fact]
    public async Task Steering_TwiceTheSame_StaysAsItIs()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "twice", devices: 1, goal: 1, rounds: 1);

        await AssertTwiceAsync(JobState.Paused, () => server.Api.PauseJobAsync(job.JobId, Ct));
        await AssertTwiceAsync(JobState.Running, () => server.Api.ResumeJobAsync(job.JobId, Ct));
        await AssertTwiceAsync(JobState.Cancelled, () => server.Api.CancelJobAsync(job.JobId, Ct));
    }

    [Fact]
    public async Task Cancel_DuringARound_AbandonsItAndKeepsTheModel()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "cancelled", devices: 2, goal: 2, rounds: 3);
        await job.HonestRoundAsync();
        PlanDocument plan = await job.OpenRoundAsync();
        await VectorJob.ContributeAsync(plan, job.Devices[0]);

        JobStatus status = await server.Api.CancelJobAsync(job.JobId, Ct);

        Assert.Equal(JobState.Cancelled, status.State);
        RoundRecord record = await server.RecordAsync(job.JobId, 2);
        Assert.Equal(RoundOutcome.Abandoned, record.Outcome);
        Assert.Equal("the job was cancelled", record.Reason);
        Assert.Equal(job.AdapterSha256, record.AdapterSha256);
        Assert.Equal(job.AdapterSha256, (await server.EndAsync(job.JobId)).AdapterSha256);
        await AssertNobodyIsAssignedAsync(job);
    }

    [Fact]
    public async Task Round_WithoutQuorumAtTheDeadline_KeepsTheModelAndSaysWhy()
    {
        (VectorJob job, _) = await VectorJob.BeforeItsDeadlineAsync(server, "few", devices: 3, rounds: 2, quorum: 0.66, 0);

        RoundRecord record = await server.RecordAsync(job.JobId, 1);

        Assert.Equal(RoundOutcome.Abandoned, record.Outcome);
        Assert.Contains("1 of 3 selected devices had been accepted, the quorum is 2", record.Reason, StringComparison.Ordinal);
        Assert.Equal(2, record.Dropped["deadline"]);
        Assert.Equal(0, record.ModelVersion);
        Assert.Equal(job.AdapterSha256, record.AdapterSha256);
        await server.Api.CancelJobAsync(job.JobId, Ct);
    }

    [Fact]
    public async Task Round_WithAQuorumAtTheDeadline_Commits()
    {
        (VectorJob job, PlanDocument plan) = await VectorJob.BeforeItsDeadlineAsync(server, "enough", devices: 3, rounds: 1, quorum: 0.66, 0, 2);

        RoundRecord record = await job.CommittedAsync(plan, job.Devices[0], job.Devices[2]);

        Assert.Equal(1, record.Dropped["deadline"]);
    }

    [Fact]
    public async Task Submit_ImpossibleSpec_IsRefusedWithPathsAndLeavesNoJob()
    {
        int before = (await server.Api.JobsAsync(Ct)).Count;
        const string spec = """
            {
              "name": "broken", "population": "everyone", "rounds": "many", "surprise": 1,
              "model": { "builder": "vector", "parameters": 8 },
              "cohort": { "goal": 0 }
            }
            """;

        ServerApiException e = await Assert.ThrowsAsync<ServerApiException>(() => server.Api.SubmitJobAsync(spec, Ct));

        Assert.Equal((int)ErrorCode.InvalidSetting, e.Error!.Code);
        string[] paths = [.. e.Error.Problems!.Select(problem => problem.Path)];
        Assert.Contains("rounds", paths);
        Assert.Contains("surprise", paths);
        Assert.Contains("cohort.goal", paths);
        Assert.Equal(before, (await server.Api.JobsAsync(Ct)).Count);
    }

    [Fact]
    public async Task Submit_HeldOutExamplesThatCannotBeRead_AreRefusedWithTheirPath()
    {
        const string spec = """
            {
              "name": "blind", "population": "everyone", "model": { "builder": "mlp", "hidden": [4] },
              "evaluation": { "data": { "kind": "idx", "images": "/nowhere/images", "labels": "/nowhere/labels" } }
            }
            """;

        ServerApiException e = await Assert.ThrowsAsync<ServerApiException>(() => server.Api.SubmitJobAsync(spec, Ct));

        SettingProblem problem = Assert.Single(e.Error!.Problems!);
        Assert.Equal("evaluation.data", problem.Path);
        Assert.Contains("/nowhere/images", problem.Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""" "classes": 2 """, "model 'mlp-784-4-2' knows 2 classes")]
    [InlineData(""" "inputs": 100 """, "784 float32 features")]
    public async Task Submit_HeldOutExamplesThatDoNotFitTheModel_AreRefused(string model, string reason)
    {
        int before = (await server.Api.JobsAsync(Ct)).Count;
        string spec = $$"""
            {
              "name": "unfit", "population": "everyone", "model": { "builder": "mlp", "hidden": [4], {{model}} },
              "evaluation": { "limit": 50, "data": { "kind": "idx", "images": "{{Mnist.TestImages}}", "labels": "{{Mnist.TestLabels}}" } }
            }
            """;

        ServerApiException e = await Assert.ThrowsAsync<ServerApiException>(() => server.Api.SubmitJobAsync(spec, Ct));

        SettingProblem problem = Assert.Single(e.Error!.Problems!);
        Assert.Equal("evaluation.data", problem.Path);
        Assert.Contains(reason, problem.Value, StringComparison.Ordinal);
        Assert.Equal(before, (await server.Api.JobsAsync(Ct)).Count);
    }

    /// <summary>A device that serves whatever it is assigned to, until stopped.</summary>
    private static async Task ServeAsync(StubDevice device, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            if (await device.CheckInOnceAsync(_shortHold) is { Assignment: { } assignment })
            {
                SubmitReply reply = await device.SubmitAsync(PlanDocument.FromBytes(assignment.Plan.Memory));
                Assert.Equal(SubmitOutcome.Accepted, reply.Outcome);
            }
        }
    }

    private static async Task AssertRefusedAsync(string says, Func<Task> call)
    {
        ServerApiException refused = await Assert.ThrowsAsync<ServerApiException>(call);
        Assert.Equal((int)ErrorCode.Conflict, refused.Error?.Code);
        Assert.StartsWith(says, refused.Error!.Detail, StringComparison.Ordinal);
    }

    private static async Task AssertTwiceAsync(JobState state, Func<Task<JobStatus>> call)
    {
        Assert.Equal(state, (await call()).State);
        Assert.Equal(state, (await call()).State);
    }

    private static async Task AssertNobodyIsAssignedAsync(VectorJob job)
    {
        CheckInReply[] replies = await Task.WhenAll(job.Devices.Select(device => device.CheckInOnceAsync(_shortHold)));
        Assert.All(replies, reply => Assert.Equal(RetryReason.NoDemand, reply.Retry?.Reason));
    }

    private async Task AssertExactAsync(string jobId, int parameters, int rounds)
    {
        List<RoundRecord> records = await server.Api.RoundsAsync(jobId, 0, TimeSpan.Zero, Ct);
        Assert.Equal(rounds, records.Count);
        float[] adapter = new float[parameters];
        foreach (RoundRecord record in records)
        {
            adapter = ExactMean.Step(
                adapter,
                [.. record.Contributors.Select(device => StubUpdate.For(device, jobId, record.Round, record.ModelVersion - 1, parameters))]);
            Assert.Equal(ExactMean.Sha256Of(record.ModelVersion, adapter), record.AdapterSha256);
        }
    }
}
