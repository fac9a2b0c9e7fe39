using System.Diagnostics;
using Federated.Server.Events;
using Federated.Server.Grains;
using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.Server.Tests.Grains;

/// <summary>What becomes of a job when something fails half way.</summary>
public sealed class JobGrainTests
{
    private const int Rounds = 6;

    // Well beyond the pause after a round that broke off, also on a busy machine.
    private static readonly TimeSpan _deadline = TimeSpan.FromMinutes(2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cancel_RoundDidNotHearOfIt_IsEndedByTheSecondCall()
    {
        await using JobScene scene = await JobScene.SubmitAsync(rounds: 1, devices: 1);
        await scene.AssignedAsync("device-1");
        scene.Fails = IsCancelOfRound;
        await Assert.ThrowsAsync<IOException>(scene.Job.Cancel);
        Assert.True(await scene.Round(1).IsOpen());

        scene.Fails = _ => false;
        await scene.Job.Cancel();

        Assert.False(await scene.Round(1).IsOpen());
        await AssertCancelledAsync(scene);
    }

    [Fact]
    public async Task Cancel_RoundDidNotHearOfIt_IsEndedByTheJobItself()
    {
        await using JobScene scene = await JobScene.SubmitAsync(rounds: 1, devices: 1);
        await scene.AssignedAsync("device-1");
        scene.Fails = Once(IsCancelOfRound);
        await Assert.ThrowsAsync<IOException>(scene.Job.Cancel);

        await AssertCancelledAsync(scene);
    }

    [Fact]
    public async Task CleanUp_FailedInOneRound_IsMadeGoodByTheNext()
    {
        await using JobScene scene = await JobScene.SubmitAsync(Rounds, devices: 1);

        // The round's end is durable then, and its clean-up has not begun: that of round 5 would forget round 1.
        scene.Fails = Once(call => call.InterfaceMethod.Name == nameof(ISelectorGrain.Release) && call.Request.GetArgument(1) is 5L);
        await scene.AbandonAsync(Rounds);

        await AssertForgottenAsync(scene);
    }

    [Fact]
    public async Task CleanUp_FailedUntilTheServerEnded_IsMadeGoodAtTheNextStart()
    {
        await using JobScene scene = await JobScene.SubmitAsync(Rounds, devices: 1);
        scene.Fails = call => call.InterfaceMethod.Name == nameof(IRoundGrain.Forget) && call.InterfaceMethod.DeclaringType == typeof(IRoundGrain);
        await scene.AbandonAsync(Rounds);
        await HoldsAsync(async () => await scene.Job.Status() is { State: JobState.Failed });
        await scene.StopAsync();
        Assert.True(File.Exists(scene.StateOfRound(1)) && File.Exists(scene.StateOfRound(2)));

        scene.Fails = _ => false;
        await scene.StartAsync();
        await scene.Job.Recover();

        await AssertForgottenAsync(scene);
    }

    [Fact]
    public async Task Round_DevicesHaveBeenInLaterOnes_GoesOnBehindThem()
    {
        List<string> forgotten = [];
        await using JobScene scene = await JobScene.SubmitAsync(Rounds, devices: 1);
        scene.Fails = call =>
        {
            if (call.InterfaceMethod.Name == nameof(IRoundGrain.Forget) && call.InterfaceMethod.DeclaringType == typeof(IRoundGrain))
            {
                forgotten.Add(call.TargetId.Key.ToString()!);
            }

            return false;
        };

        // Whatever a device says, the number moves on by no more than the job has rounds.
        await scene.AssignedAsync("device-1");
        await scene.Round(1).Ahead("device-1", long.MaxValue);
        for (int round = Rounds + 2; round <= 2 * Rounds; round++)
        {
            Assert.Equal(round, (await scene.AssignedAsync("device-1")).Round);
            Assert.NotNull(await scene.Rounds.FindAsync(JobScene.JobId, (ulong)round));
            await scene.Round(round).Abort("device-1", "test");
        }

        await HoldsAsync(async () => await scene.Job.Status() is { State: JobState.Failed });
        JobStatus job = (await scene.Job.Status())!;
        Assert.Equal((12, 6, 12), (job.Round, job.SkippedRounds, job.MaxRounds));
        IReadOnlyList<RoundRecord> records = await scene.Job.Rounds(0, TimeSpan.Zero);
        Assert.Equal([1, 8, 9, 10, 11, 12], records.Select(record => record.Round));
        Assert.EndsWith("; the next round is 8", records[0].Reason, StringComparison.Ordinal);
        Assert.Equal(1, records[0].Dropped[RoundStateMachine.AheadReason]);
        await HoldsAsync(() => Task.FromResult(!File.Exists(scene.StateOfRound(8))));
        Assert.False(File.Exists(scene.StateOfRound(1)));
        Assert.Equal(2, forgotten.Count);
    }

    [Fact]
    public async Task Round_DevicesAreAheadAgainAndAgain_DoesNotFailTheJob()
    {
        await using JobScene scene = await JobScene.SubmitAsync(rounds: 100, devices: 1);
        for (int i = 0; i <= JobEnding.MaxAbandonedInARow; i++)
        {
            long round = (await scene.AssignedAsync("device-1").WaitAsync(_deadline, Ct)).Round;
            await scene.Round(round).Ahead("device-1", round + 1);
        }

        CheckInAnswer last = await scene.AssignedAsync("device-1").WaitAsync(_deadline, Ct);
        Assert.Equal(1 + (2 * (JobEnding.MaxAbandonedInARow + 1)), last.Round);
        Assert.Equal(JobState.Running, (await scene.Job.Status())!.State);
    }

    [Fact]
    public async Task Round_BreaksOffAgainAndAgain_IsToldOnTheJobUntilOneWorks()
    {
        const string reason = "round 1 broke off and is tried again: Select fails because the test wants it";
        await using JobScene scene = await JobScene.SubmitAsync(rounds: 2, devices: 1);
        long before = scene.Events.LastEventId;
        scene.Fails = call => call.InterfaceMethod.Name == nameof(ISelectorGrain.Select);

        await HoldsAsync(async () => (await scene.Job.Status())!.Reason == reason);
        Assert.Equal(JobState.Running, (await scene.Job.Status())!.State);
        await foreach (ServerEvent happened in scene.Events.ReadAsync(before, Ct).Where(happened => happened is JobChanged))
        {
            Assert.Equal(reason, ((JobChanged)happened).Job.Reason);
            break;
        }

        scene.Fails = _ => false;
        await scene.AbandonAsync(1);

        await HoldsAsync(async () => await scene.Job.Status() is { Round: 1, Reason: "" });
    }

    private static bool IsCancelOfRound(IIncomingGrainCallContext call) =>
        call.InterfaceMethod.Name == nameof(IRoundGrain.Cancel) && call.InterfaceMethod.DeclaringType == typeof(IRoundGrain);

    private static Func<IIncomingGrainCallContext, bool> Once(Func<IIncomingGrainCallContext, bool> meant)
    {
        int calls = 0;
        return call => meant(call) && Interlocked.Increment(ref calls) == 1;
    }

    private static async Task AssertCancelledAsync(JobScene scene)
    {
        RoundRecord? record = null;
        await HoldsAsync(async () => (record = (await scene.Job.Rounds(0, TimeSpan.Zero)).SingleOrDefault()) is not null);
        Assert.Equal((RoundOutcome.Abandoned, "the job was cancelled"), (record!.Outcome, record.Reason));
        Assert.Equal(JobState.Cancelled, (await scene.Job.Status())!.State);
    }

    /// <summary>The last four rounds are kept, the others are gone.</summary>
    private static async Task AssertForgottenAsync(JobScene scene)
    {
        await HoldsAsync(async () => await scene.Job.Status() is { State: JobState.Failed }
            && !File.Exists(scene.StateOfRound(1)) && !File.Exists(scene.StateOfRound(2)));
        Assert.All(Enumerable.Range(3, 4), round => Assert.True(File.Exists(scene.StateOfRound(round)), $"round {round}"));
    }

    private static async Task HoldsAsync(Func<Task<bool>> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < _deadline, "It did not come about.");
            await Task.Delay(5, Ct);
        }
    }
}
