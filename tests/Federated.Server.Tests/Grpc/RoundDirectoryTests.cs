using System.Collections.Concurrent;
using Federated.Server.Grains;
using Federated.Server.Grpc;
using Federated.Server.Tests.Grains;

namespace Federated.Server.Tests.Grpc;

/// <summary>What the edge asks grains about, over the grains of a job.</summary>
public sealed class RoundDirectoryTests
{
    [Fact]
    public async Task Find_NamesThatSomebodyMadeUp_WakesNoGrain()
    {
        await using JobScene scene = await JobScene.SubmitAsync(rounds: 2, devices: 1);
        await scene.AssignedAsync("device-1");
        ConcurrentBag<string> woken = [];
        scene.Fails = call =>
        {
            if (call.TargetContext?.GrainId is { } grain && (call.InterfaceMethod.DeclaringType == typeof(IJobGrain) || call.InterfaceMethod.DeclaringType == typeof(IRoundGrain)))
            {
                woken.Add(grain.Key.ToString()!);
            }

            return false;
        };
        RoundDirectory rounds = scene.Rounds;

        Assert.Null(await rounds.JobAsync("nobody-1"));
        Assert.Null(await rounds.FindAsync("nobody-1", 1));
        Assert.Null(await rounds.FindAsync(JobScene.JobId, 3));
        Assert.Null(await rounds.FindAsync(JobScene.JobId, ulong.MaxValue));

        Assert.DoesNotContain("nobody-1", woken);
        Assert.DoesNotContain(GrainKeys.Round("nobody-1", 1), woken);
        Assert.DoesNotContain(GrainKeys.Round(JobScene.JobId, 3), woken);
    }

    [Fact]
    public async Task Find_RoundUnderWayAndOneThatEnded_GivesTheirFacts()
    {
        await using JobScene scene = await JobScene.SubmitAsync(rounds: 2, devices: 1);
        await scene.AbandonAsync(1);
        await scene.AssignedAsync("device-1");
        RoundDirectory rounds = scene.Rounds;

        Assert.Equal(1, (await rounds.FindAsync(JobScene.JobId, 1))!.Start.Round);
        Assert.Equal(2, (await rounds.FindAsync(JobScene.JobId, 2))!.Start.Round);
    }
}
