using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Client.Transport;
using Federated.Shared.Protos;
using Microsoft.Extensions.Logging.Abstractions;

namespace Federated.Client.Tests.Session;

public sealed class AgentTests
{
    [Fact]
    public async Task Run_RoundsGiven_StopsAfterThem()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using ModelCache models = scene.Cache();
        List<SessionResult> results = [];

        long contributed = await Agent(scene, models, new AgentOptions { Rounds = 3 }).RunAsync(r => results.Add(r.Result), null, TestContext.Current.CancellationToken);

        Assert.Equal(3, contributed);
        Assert.Equal(Enumerable.Repeat(SessionResult.Accepted, 3), results);
    }

    [Fact]
    public async Task Run_UntilIdle_StopsWhenNotWanted()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using ModelCache models = scene.Cache();
        CheckInReply assignment = RoundScene.Assign(scene.Plan.ToBytes());
        scene.Script.CheckIn = _ => scene.Script.CheckIns.Count < 2 ? assignment : ServerScript.Later();

        Assert.Equal(1, await Agent(scene, models, new AgentOptions { UntilIdle = true }).RunAsync(null, null, TestContext.Current.CancellationToken));

        Assert.Equal(2, scene.Script.CheckIns.Count);
    }

    [Fact]
    public async Task Run_ServerAway_TriesUntilItIsBack()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using ModelCache models = scene.Cache();
        await scene.Server.KillAsync();
        AgentOptions options = new() { Rounds = 1, FirstBackoff = TimeSpan.FromMilliseconds(5), LongestBackoff = TimeSpan.FromMilliseconds(20) };

        Task<long> running = Agent(scene, models, options).RunAsync(null, null, TestContext.Current.CancellationToken);
        await scene.Server.StartAsync();

        Assert.Equal(1, await running.WaitAsync(RoundScene.Patience, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_StoppedAtTheCheckInOrAfterIt_DoesNotWaitAsItWasAsked(bool after)
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using ModelCache models = scene.Cache();
        using CancellationTokenSource stop = new();
        scene.Script.CheckIn = _ =>
        {
            if (!after)
            {
                stop.Cancel();
            }

            return new CheckInReply { Retry = new Retry { AfterMs = 3_600_000, Reason = RetryReason.NoDemand } };
        };

        Task<long> running = Agent(scene, models, new AgentOptions()).RunAsync(after ? _ => stop.Cancel() : null, null, stop.Token);

        // The hour that the server asks for would be beyond all patience.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(RoundScene.Patience, TestContext.Current.CancellationToken));
    }

    private static Client.Session.Agent Agent(RoundScene scene, ModelCache models, AgentOptions options) => new(
        new ClientIdentity("device-1", "pop", new Dictionary<string, string>()), scene.Session(models), options, TimeProvider.System, NullLogger.Instance);
}
