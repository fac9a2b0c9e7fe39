using Federated.Server.Rounds;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Federated.Simulator.Runs;
using Federated.Simulator.Scenarios;
using Federated.Simulator.Tests.Reports;
using Federated.Testing;

namespace Federated.Simulator.Tests.Runs;

/// <summary>Whole runs of low-rank adapters: every rule, on a fleet of two ranks where the rule takes them.</summary>
public sealed class LoraRunTests
{
    // A run takes a second or two; one that waits for its deadlines is broken.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(300);

    private const string Ranks = """ "ranks": { "label": "profile", "values": { "small": 1, "middle": 2 } }""";

    [Theory]
    [InlineData("fedit", """ "averagingBias": true""", true)]
    [InlineData("ffa", "", false)]
    [InlineData("rolora", "", false)]
    [InlineData("flora", Ranks, false)]
    [InlineData("flexlora", Ranks, false)]
    [InlineData("hetlora", Ranks + """, "averagingBias": true""", true)]
    public async Task RunAsync_EveryRule_LearnsAndRepeatsAtOtherThreads(string rule, string settings, bool biased)
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);

        (RunSummary first, IReadOnlyList<RoundRecord> rounds) = await RunAsync(rule, settings, folder, "first", threads: 1);
        (RunSummary second, _) = await RunAsync(rule, settings, folder, "second", threads: 2);

        Assert.Equal(RunOutcome.Completed, first.Outcome);
        Assert.DoesNotContain(first.RefusedByOutcome, entry => entry.Key != "LATE");
        Assert.True(rounds[^1].Evaluation!.Loss < rounds[0].Evaluation!.Loss, $"loss {rounds[0].Evaluation!.Loss} to {rounds[^1].Evaluation!.Loss}");
        Assert.Equal(biased, first.AveragingBias is > 0);
        Assert.Equal(first.AdapterSha256, second.AdapterSha256);
    }

    [Fact]
    public async Task RunAsync_Fedsa_LearnsOnTheDevicesAndLeavesTheServersBAsItWas()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);

        (RunSummary summary, IReadOnlyList<RoundRecord> rounds) = await RunAsync("fedsa", "", folder, "run", threads: 2);

        Assert.Equal(RunOutcome.Completed, summary.Outcome);
        Assert.True(rounds[^1].TrainLoss < rounds[0].TrainLoss, $"training loss {rounds[0].TrainLoss} to {rounds[^1].TrainLoss}");

        // With B zero the adapted model is the frozen one, whatever A has become.
        Assert.Equal(rounds[0].Evaluation!.Loss, rounds[^1].Evaluation!.Loss, 1e-6);
    }

    [Fact]
    public async Task RunAsync_OneFactorSent_TakesHalfTheBytesOfBoth()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);

        (RunSummary both, _) = await RunAsync("fedit", "", folder, "both", threads: 2);
        (RunSummary one, _) = await RunAsync("ffa", "", folder, "one", threads: 2);

        // B alone is [48, 4] and [4, 4] of A [4, 16], [4, 48] besides.
        Assert.InRange(one.BytesUpPerClientRound, 0.2 * both.BytesUpPerClientRound, 0.75 * both.BytesUpPerClientRound);
    }

    [Theory]
    [InlineData("rolora", "", """{ "codec": "quantized", "valueBits": 8 }""", 0.6)]
    [InlineData("flexlora", Ranks, """{ "codec": "quantized", "valueBits": 8 }""", 0.6)]
    [InlineData("fedit", "", """{ "codec": "top-k", "density": 0.25 }""", 0.6)]
    public async Task RunAsync_CompressedFactors_LearnInFewerBytes(string rule, string settings, string update, double share)
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);

        (RunSummary dense, _) = await RunAsync(rule, settings, folder, "dense", threads: 2);
        (RunSummary compressed, IReadOnlyList<RoundRecord> rounds) = await RunAsync(rule, settings, folder, "compressed", threads: 2, update);

        Assert.Equal(RunOutcome.Completed, compressed.Outcome);
        Assert.DoesNotContain(compressed.RefusedByOutcome, entry => entry.Key != "LATE");
        Assert.True(rounds[^1].Evaluation!.Loss < rounds[0].Evaluation!.Loss, $"loss {rounds[0].Evaluation!.Loss} to {rounds[^1].Evaluation!.Loss}");
        Assert.InRange(compressed.BytesUpPerClientRound, 1, share * dense.BytesUpPerClientRound);
    }

    private static async Task<(RunSummary Summary, IReadOnlyList<RoundRecord> Rounds)> RunAsync(
        string rule, string settings, TemporaryFolder folder, string name, int threads, string update = "{}")
    {
        string lora = settings.Length == 0 ? $$"""{ "rule": "{{rule}}" }""" : $$"""{ "rule": "{{rule}}", {{settings}} }""";
        ReadScenario scenario = SmallDigits.Scenario(
            folder.Path,
            """job.model={ "builder": "mlp", "inputs": 16, "hidden": [48], "classes": 4, "lora": { "rank": 4, "alpha": 8 } }""",
            $"job.aggregation.lora={lora}",
            $"job.update={update}",
            """population.profiles=[ { "name": "small", "share": 1 }, { "name": "middle", "share": 1 }, { "name": "large", "share": 1 } ]""",
            "faults.dropRate=0",
            "job.training.learningRate=0.05",
            "job.deadlines.reportSeconds=200",
            "job.rounds=6");
        RunFolder output = RunFolder.Open(Path.Combine(folder.Path, name), "toy", 1, "/");
        RunRequest request = new() { Scenario = scenario, Folder = output, Threads = threads, Server = null };
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(_patience);
        RunSummary summary = await new SimulationRun(request, new SilentView(), TimeProvider.System).RunAsync(stop.Token);
        return (summary, RoundLog.Read(output.RoundsPath));
    }
}
