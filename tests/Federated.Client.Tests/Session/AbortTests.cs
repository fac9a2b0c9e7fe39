using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Shared.Protos;

namespace Federated.Client.Tests.Session;

public sealed class AbortTests
{
    [Fact]
    public async Task RunOnce_MalformedPlan_ReportsUnsupported()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.CheckIn = _ => RoundScene.Assign([0x91, 0x02]);

        await ExpectAsync(scene, AbortReason.UnsupportedPlan, "version 2");
        Assert.Empty(scene.Script.Downloads);
    }

    [Fact]
    public async Task RunOnce_PlanOfAnotherRound_ReportsUnsupported()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.CheckIn = _ => RoundScene.Assign((scene.Plan with { Round = 8 }).ToBytes());

        await ExpectAsync(scene, AbortReason.UnsupportedPlan, "round 7 of job 'job', its plan to round 8");
    }

    [Fact]
    public async Task RunOnce_AdapterLengthImpossible_ReportsUnsupported()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Plan = scene.Plan with { AdapterLengthBytes = 12 };

        await ExpectAsync(scene, AbortReason.UnsupportedPlan, "12 bytes for 50000 parameters");
    }

    [Fact]
    public async Task RunOnce_AdapterOfAnotherVersion_ReportsUnsupported()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Plan = scene.Plan with { ModelVersion = 5 };

        await ExpectAsync(scene, AbortReason.UnsupportedPlan, "version 5, its adapter is version 6");
    }

    [Fact]
    public async Task RunOnce_UpdateLongerThanAllowed_ReportsUnsupported()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Plan = scene.Plan with { MaxUpdateBytes = 200_000 };

        await ExpectAsync(scene, AbortReason.UnsupportedPlan, "the plan allows 200000");
    }

    [Fact]
    public async Task RunOnce_NoExamples_ReportsNoData()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Source = new FakeExamples(0);

        await ExpectAsync(scene, AbortReason.NoData, "no examples");
    }

    [Fact]
    public async Task RunOnce_ExamplesOfAnotherShape_ReportsNoData()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Source = new FakeExamples(4, featureLength: 3);

        await ExpectAsync(scene, AbortReason.NoData, "3 float32 features");
    }

    [Fact]
    public async Task RunOnce_ObjectUnknownToServer_ReportsTransferFailed()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.Objects.TryRemove(scene.Gradient, out _);

        await ExpectAsync(scene, AbortReason.TransferFailed, "no such object");
        Assert.Single(scene.OffsetsOf(scene.Gradient));
    }

    [Fact]
    public async Task RunOnce_EngineFails_ReportsTrainingFailed()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Step = () => throw new InvalidDataException("kernel\nbroken");

        await ExpectAsync(scene, AbortReason.TrainingFailed, "InvalidDataException; the device's log says more", "InvalidDataException: kernel broken");
    }

    [Fact]
    public async Task RunOnce_TrainingDiverges_ReportsTrainingFailed()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Plan = scene.Plan with { Training = scene.Plan.Training with { LearningRate = 1e6, WeightDecay = 1e6, Epochs = 10 } };

        await ExpectAsync(scene, AbortReason.TrainingFailed, "diverged");
    }

    [Fact]
    public async Task RunOnce_ObserverFails_ReportsItAndGoesOn()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Observer.Assigned = _ => throw new TypeInitializationException("Engine", null);

        await ExpectAsync(scene, AbortReason.TrainingFailed, "TypeInitializationException; the device's log says more", "TypeInitializationException: ");
    }

    [Fact]
    public async Task RunOnce_PlanWithoutGroupAndDeviceThatDemandsOne_ReportsPolicy()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Options = scene.Options with { MaskedOnly = true };

        await ExpectAsync(scene, AbortReason.Policy, "not under secure aggregation");
        Assert.Empty(scene.Script.Downloads);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunOnce_SimulatedLoss_ReportsIt(bool beforeDownload)
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        Func<CancellationToken, Task> loss = _ => throw new SimulatedLossException("battery");
        scene.Observer.Assigned = beforeDownload ? loss : scene.Observer.Assigned;
        scene.Observer.Trained = beforeDownload ? scene.Observer.Trained : loss;

        await ExpectAsync(scene, AbortReason.SimulatedLoss, "battery");
        Assert.Equal(beforeDownload, scene.Script.Downloads.IsEmpty);
        Assert.Empty(scene.Script.Contributions);
    }

    [Fact]
    public async Task RunOnce_TimeOfTheRoundIsUp_ReportsTransferFailed()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Plan = scene.Plan with { Deadline = TimeSpan.FromMilliseconds(300) };
        scene.Observer.Trained = ct => Task.Delay(Timeout.InfiniteTimeSpan, ct);

        await ExpectAsync(scene, AbortReason.TransferFailed, "0.3 s were over");
    }

    [Fact]
    public async Task RunOnce_CancelledWhileTraining_ReportsInterrupted()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using CancellationTokenSource stop = new();
        scene.Step = stop.Cancel;

        await ExpectInterruptedAsync(scene, stop.Token);
    }

    [Fact]
    public async Task RunOnce_CancelledWhileSubmitting_ReportsInterrupted()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using CancellationTokenSource stop = new();
        scene.Script.HoldSubmissions = new TaskCompletionSource().Task;
        Task stopping = scene.Script.SubmissionBegan.Task.ContinueWith(_ => stop.Cancel(), TaskScheduler.Default);

        await ExpectInterruptedAsync(scene, stop.Token);
        await stopping;
    }

    [Fact]
    public async Task RunOnce_CancelledWithServerGone_EndsWithoutIt()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using CancellationTokenSource stop = new();
        scene.Options = scene.Options with { InterruptTimeout = TimeSpan.FromMilliseconds(100) };
        scene.Observer.Trained = async ct =>
        {
            await scene.Server.KillAsync();
            await stop.CancelAsync();
            ct.ThrowIfCancellationRequested();
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.RunUntilAsync(stop.Token));

        Assert.Equal(SessionResult.Aborted, scene.Observer.Ended!.Result);
    }

    private static async Task ExpectAsync(RoundScene scene, AbortReason reason, string told, string? logged = null)
    {
        SessionReport report = await scene.RunAsync();

        Assert.Equal((SessionResult.Aborted, SubmitOutcome.Unspecified), (report.Result, report.Outcome));
        AbortReport abort = Assert.Single(scene.Script.Aborts);
        Assert.Equal((reason, "device-1", "job", 7UL), (abort.Reason, abort.DeviceId, abort.JobId, abort.Round));
        Assert.Contains(told, abort.Detail, StringComparison.Ordinal);
        Assert.Contains(logged ?? told, report.Detail, StringComparison.Ordinal);
        Assert.Empty(scene.Script.Contributions);
    }

    private static async Task ExpectInterruptedAsync(RoundScene scene, CancellationToken stop)
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.RunUntilAsync(stop));

        Assert.Equal(AbortReason.Interrupted, Assert.Single(scene.Script.Aborts).Reason);
        Assert.Equal(SessionResult.Aborted, scene.Observer.Ended!.Result);
        Assert.Empty(scene.Script.Contributions);
    }
}
