using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.Client.Tests.Session;

public sealed class ClientSessionTests
{
    [Fact]
    public async Task RunOnce_Assigned_ContributesTheDelta()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();

        SessionReport report = await scene.RunAsync();

        Assert.Equal((SessionResult.Accepted, SubmitOutcome.Accepted, TimeSpan.Zero), (report.Result, report.Outcome, report.RetryAfter));
        (SubmitHeader header, byte[] payload) = Assert.Single(scene.Script.Contributions);
        Assert.Equal(("device-1", "job", 7UL, ProtocolLimits.Version), (header.DeviceId, header.JobId, header.Round, header.ProtocolVersion));
        UpdateDocument update = UpdateDocument.FromBytes(payload, RoundScene.Parameters);
        Assert.Equal(("job", 7, 6, 4, 2, 2.0), (update.JobId, update.Round, update.ModelVersion, update.ExampleCount, update.StepCount, update.MeanLoss));

        // Two steps of 0.5 · 1.
        Assert.True(update.DenseValues.IndexOfAnyExcept(-1f) < 0);
        Assert.Equal(update.ToBytes(), payload);
        CheckInRequest request = Assert.Single(scene.Script.CheckIns);
        Assert.Equal(("pop", "pi5", 1000u, "onnx"), (request.Population, request.Labels["board"], request.MaxHoldMs, request.Engine));
        Assert.Same(report, scene.Observer.Ended);
        Assert.Empty(scene.Script.Aborts);
    }

    [Fact]
    public async Task RunOnce_NotWanted_TellsWhenToReturn()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.CheckIn = _ => ServerScript.Later();

        SessionReport report = await scene.RunAsync();

        Assert.Equal((SessionResult.NoAssignment, TimeSpan.FromMilliseconds(1234), null), (report.Result, report.RetryAfter, report.Plan));
        Assert.Same(report, scene.Observer.Ended);
    }

    [Fact]
    public async Task RunOnce_BytesCounted_AreThoseOfTheServer()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        (long Up, long Down) beforeUpload = default;
        scene.Observer.Trained = _ =>
        {
            beforeUpload = (scene.Script.BytesUp, scene.Script.BytesDown);
            return Task.CompletedTask;
        };

        SessionReport report = await scene.RunAsync();

        Assert.Equal((scene.Script.BytesUp, scene.Script.BytesDown), (report.BytesUp, report.BytesDown));
        ClientCosts costs = Assert.Single(scene.Script.Contributions).Header.Costs;
        Assert.Equal(beforeUpload, ((long)costs.BytesUp, (long)costs.BytesDown));
        Assert.True(costs.PeakMemoryBytes > 1_000_000);
        Assert.True(costs.DownloadSeconds > 0 && costs.ComputeSeconds > 0 && costs.EncodeSeconds > 0);
    }

    [Fact]
    public async Task RunOnce_BareVector_ReturnsItUnchangedWithoutTraining()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Package = scene.Script.Add((scene.Manifest with { Gradient = scene.Manifest.Gradient with { LengthBytes = 0 } }).ToBytes());
        scene.Plan = scene.Plan with { Package = scene.Package };
        scene.Step = () => Assert.Fail("trained");

        SessionReport report = await scene.RunAsync();

        Assert.Equal(SessionResult.Accepted, report.Result);
        UpdateDocument update = UpdateDocument.FromBytes(Assert.Single(scene.Script.Contributions).Payload, RoundScene.Parameters);
        Assert.True(update.DenseValues.IndexOfAnyExcept(0f) < 0);
        Assert.Equal((4, 0), (update.ExampleCount, update.StepCount));
        Assert.Empty(scene.OffsetsOf(scene.Gradient));
    }

    [Fact]
    public async Task RunOnce_Twice_FetchesThePackageOnceAndTheAdapterTwice()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using Client.Transport.ModelCache models = scene.Cache();
        ClientSession session = scene.Session(models);

        Assert.Equal(SubmitOutcome.Accepted, (await session.RunOnceAsync(TestContext.Current.CancellationToken)).Outcome);
        SessionReport again = await session.RunOnceAsync(TestContext.Current.CancellationToken);

        Assert.Equal((SessionResult.Accepted, SubmitOutcome.Duplicate), (again.Result, again.Outcome));
        Assert.Single(scene.OffsetsOf(scene.Package));
        Assert.Single(scene.OffsetsOf(scene.Gradient));
        Assert.Equal([0, 0], scene.OffsetsOf(scene.Adapter));
        Assert.Single(scene.Script.Contributions);
    }

    [Theory]
    [InlineData(SubmitOutcome.Late)]
    [InlineData(SubmitOutcome.NotSelected)]
    [InlineData(SubmitOutcome.Conflict)]
    [InlineData(SubmitOutcome.RoundAbandoned)]
    public async Task RunOnce_Refused_SurfacesTheOutcome(SubmitOutcome outcome)
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.Answer = new SubmitReply { Outcome = outcome, Detail = "because" };

        SessionReport report = await scene.RunAsync();

        Assert.Equal((SessionResult.Refused, outcome, "because"), (report.Result, report.Outcome, report.Detail));
        Assert.Equal(scene.Options.PauseAfterFailure, report.RetryAfter);
        Assert.Empty(scene.Script.Aborts);
    }

    [Theory]
    [InlineData(SubmitOutcome.OutOfRange)]
    [InlineData(SubmitOutcome.NotFinite)]
    [InlineData(SubmitOutcome.Malformed)]
    [InlineData(SubmitOutcome.Oversized)]
    public async Task RunOnce_RefusedForItsContent_GivesTheRoundUp(SubmitOutcome outcome)
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.Answer = new SubmitReply { Outcome = outcome, Detail = "because" };

        SessionReport report = await scene.RunAsync();

        Assert.Equal((SessionResult.Refused, outcome, "because"), (report.Result, report.Outcome, report.Detail));
        AbortReport abort = Assert.Single(scene.Script.Aborts);
        Assert.Equal((AbortReason.TrainingFailed, $"{outcome}: because"), (abort.Reason, abort.Detail));
    }

    [Fact]
    public async Task RunOnce_AlreadyRunning_IsRefused()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using Client.Transport.ModelCache models = scene.Cache();
        ClientSession session = scene.Session(models);
        Task<SessionReport>? second = null;
        scene.Observer.Assigned = _ =>
        {
            second = session.RunOnceAsync(CancellationToken.None);
            return Task.CompletedTask;
        };

        Assert.Equal(SessionResult.Accepted, (await session.RunOnceAsync(TestContext.Current.CancellationToken)).Result);

        await Assert.ThrowsAsync<InvalidOperationException>(() => second!);
    }

    [Fact]
    public async Task RunOnce_ServerAwayAtCheckIn_Throws()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        await scene.Server.KillAsync();

        Client.Transport.ServerLinkException e = await Assert.ThrowsAsync<Client.Transport.ServerLinkException>(() => scene.RunAsync());

        Assert.True(e.Retriable);
    }
}
