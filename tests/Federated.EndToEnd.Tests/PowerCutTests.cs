using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary>A device whose power is cut at any moment of its rounds: the native program is killed, and started again over what lies on its disk.</summary>
public sealed class PowerCutTests
{
    private const int Cuts = 50;

    // A round has about so many messages: check-in, package, 13 chunks down, 13 chunks up, the answer.
    private const int MessagesARound = 34;
    private const double LongestWaitMilliseconds = 15;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Client_KilledAtFiftyMoments_GoesOnWhereItWasAndTrainsTheSameModel()
    {
        using TemporaryFolder folder = new();
        await using RunningServer server = await RunningServer.StartAsync();
        await using WatchedGateway gateway = await WatchedGateway.OpenAsync(server.Channel);
        string jobId = (await server.Api.SubmitJobAsync(Spec("cut"), Ct)).JobId;
        SeededGenerator random = SeededGenerator.For(20260301, "power cuts");
        List<string> faults = [];
        Dictionary<string, long> held = [];
        int resumed = 0;
        for (int cut = 0; cut < Cuts; cut++)
        {
            long until = gateway.Messages.Count + 1 + random.NextInt(MessagesARound);
            await using ProgramRun client = Start(gateway.Address, "cut", folder.Path);
            await Eventually.HoldsAsync($"message {until} passes", () =>
            {
                Assert.False(client.HasEnded, $"After cut {cut} the client ended by itself. {client.Said}");
                return gateway.Messages.Count >= until;
            });
            await Task.Delay(TimeSpan.FromMilliseconds(random.NextDouble() * LongestWaitMilliseconds), Ct);
            await client.KillAsync();
            faults.AddRange(Faults(gateway.Messages, held, ref resumed));
            held = Held(folder.Path);
        }

        await using (ProgramRun last = Start(gateway.Address, "cut", folder.Path, "--rounds", "1"))
        {
            Assert.Equal(0, await last.EndAsync());
        }

        Assert.Empty(faults);
        Assert.True(resumed >= 3, $"Of the downloads that were cut {resumed} went on where they were.");
        List<RoundRecord> records = await server.Api.RoundsAsync(jobId, 0, TimeSpan.Zero, Ct);
        Assert.True(records.Count >= 5, $"{records.Count} rounds in {Cuts} lives are too few: something that a device had done was lost.");
        Assert.All(records, record => Assert.Equal((RoundOutcome.Committed, 1), (record.Outcome, record.Accepted)));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(folder.Path, "packages"), "*.part", SearchOption.AllDirectories));
        Assert.Equal(await UndisturbedAsync(server, records.Count), records.Select(record => record.AdapterSha256));
    }

    /// <summary>The models of a device that is left alone.</summary>
    private static async Task<IEnumerable<string>> UndisturbedAsync(RunningServer server, int rounds)
    {
        using TemporaryFolder folder = new();
        string jobId = (await server.Api.SubmitJobAsync(Spec("calm"), Ct)).JobId;
        await using ProgramRun client = Start(server.GrpcAddress, "calm", folder.Path, "--rounds", $"{rounds}");
        Assert.Equal(0, await client.EndAsync(Eventually.Deadline + (rounds * TimeSpan.FromSeconds(10))));
        await server.RecordAsync(jobId, rounds);
        return (await server.Api.RoundsAsync(jobId, 0, TimeSpan.Zero, Ct)).Take(rounds).Select(record => record.AdapterSha256!);
    }

    // What the disk held when a process started must not be asked for again by it, but for one chunk.
    private static List<string> Faults(WatchedGateway.Traffic traffic, Dictionary<string, long> heldAtStart, ref int resumed)
    {
        List<string> faults = [];
        while (traffic.Downloads.TryDequeue(out (ContentHash Content, long Offset) asked))
        {
            long held = heldAtStart.GetValueOrDefault(asked.Content.Hex);
            if (held - asked.Offset > ProtocolLimits.ChunkBytes)
            {
                faults.Add($"{asked.Content.Hex} was asked for from {asked.Offset} although {held} bytes of it were there.");
            }

            resumed += asked.Offset > 0 ? 1 : 0;
        }

        return faults;
    }

    private static Dictionary<string, long> Held(string state) => Directory.Exists(Path.Combine(state, "packages"))
        ? Directory.EnumerateFiles(Path.Combine(state, "packages"), "*", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file), file => new FileInfo(file).Length)
        : [];

    // Both jobs differ in their population alone, so that both devices may have one name: their seed decides how they shuffle.
    private static ProgramRun Start(Uri server, string population, string state, params IEnumerable<string> more) => NativeClient.StartX64(
    [
        "run", "--server", server.ToString(), "--device-id", "pi", "--population", population, "--state", state, "--json",
        "--data", $"idx:images={Mnist.TestImages},labels={Mnist.TestLabels},slice=0:40", .. more,
    ]);

    private static string Spec(string population) => $$"""
        {
          "name": "{{population}}", "population": "{{population}}", "rounds": 1000, "seed": 9,
          "model": { "builder": "mlp", "hidden": [200, 200] },
          "cohort": { "goal": 1, "overSelection": 1.0, "quorum": 1.0, "minimumPool": 1 },
          "deadlines": { "reportSeconds": 100 },
          "training": { "epochs": 2, "batchSize": 10, "learningRate": 0.05 }
        }
        """;
}
