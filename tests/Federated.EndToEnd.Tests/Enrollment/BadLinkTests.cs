using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.EndToEnd.Tests.Enrollment;

/// <summary>A device behind a link of 256 kbit/s, 400 ms and 5 % loss, whose first connections break.</summary>
public sealed class BadLinkTests(SecureServer server) : IClassFixture<SecureServer>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Round_OverAShapedLink_Completes()
    {
        using (await server.EnrollAsync("far-away", "far"))
        {
        }

        JobStatus job = await server.Api.SubmitJobAsync(
            """
            { "name": "far", "population": "far", "rounds": 1,
              "model": { "builder": "mlp", "hidden": [24] },
              "cohort": { "goal": 1, "overSelection": 1.0, "quorum": 1.0, "minimumPool": 1 },
              "deadlines": { "reportSeconds": 100 },
              "training": { "epochs": 1, "batchSize": 10, "learningRate": 0.05 } }
            """,
            Cancelled);
        await using ShapedRelay relay = new(server.Address, kilobits: 256, TimeSpan.FromMilliseconds(400), loss: 0.05, 20_000, 50_000);
        long began = TimeProvider.System.GetTimestamp();
        await using ProgramRun client = NativeClient.StartX64(
            "run", "--server", relay.Address.ToString(), "--state", server.StateOf("far-away"), "--rounds", "1", "--json",
            "--data", $"idx:images={Mnist.TestImages},labels={Mnist.TestLabels},slice=0:60");

        Assert.True(await client.EndAsync() == 0, client.Said);

        RoundRecord record = await Eventually.GetAsync("the round has ended", async () =>
            await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.FromSeconds(1), Cancelled) is { Count: > 0 } records ? Assert.Single(records) : null);
        Assert.Equal((RoundOutcome.Committed, 1), (record.Outcome, record.Accepted));

        // The adapter goes down and its update up, 76 KB each, at 32 KB a second.
        Assert.True(TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromSeconds(4), "The link was not slow.");
        Assert.True(relay.Connections >= 3, $"{relay.Connections} connections; two were cut.");
        Assert.True(relay.Lost > 0, "Nothing was lost.");

        // What arrived before a cut is not fetched again: an adapter, a graph and a little more.
        Assert.InRange(record.BytesDown, 76_000, 200_000);
    }
}
