using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Rounds;

namespace Federated.EndToEnd.Tests;

/// <summary>The same seed gives the same result, bit for bit, however many threads.</summary>
public sealed class RepeatabilityTests
{
    [Fact]
    public async Task Run_SameSeedTwice_GivesTheSameRecords()
    {
        SeededRun first = await SeededRun.BaselineAsync();
        SeededRun second = await SeededRun.RunAsync();

        Assert.Equal(first.Job.JobId, second.Job.JobId);
        Assert.Equal(first.Records.Select(SeededRun.Repeatable), second.Records.Select(SeededRun.Repeatable));
        Assert.Equal(first.AdapterSha256, second.AdapterSha256);
    }

    [Fact]
    public async Task Run_TwoThreads_GivesTheSameModelAndRecords()
    {
        SeededRun one = await SeededRun.BaselineAsync();
        SeededRun two = await SeededRun.RunAsync(threads: 2);

        Assert.Equal(one.Records.Select(record => record.AdapterSha256), two.Records.Select(record => record.AdapterSha256));
        Assert.Equal(one.Records.Select(SeededRun.Repeatable), two.Records.Select(SeededRun.Repeatable));
    }

    [Fact]
    public async Task Run_AnotherSeed_GivesAnotherModel()
    {
        SeededRun seven = await SeededRun.BaselineAsync();
        SeededRun eight = await SeededRun.RunAsync(seed: 8);

        Assert.NotEqual(seven.AdapterSha256, eight.AdapterSha256);
    }

    [Fact]
    public async Task Run_Baseline_Learns()
    {
        SeededRun run = await SeededRun.BaselineAsync();

        Assert.Equal(SeededRun.Rounds, run.Job.ModelVersion);
        Assert.Equal(run.Job.AdapterSha256, run.AdapterSha256);
        Assert.All(run.Records, record => Assert.Equal((RoundOutcome.Committed, 5, 300L), (record.Outcome, record.Accepted, record.Examples)));
        Assert.True(run.Records[^1].Evaluation!.Accuracy > run.Records[0].Evaluation!.Accuracy, "The accuracy did not rise.");
        Assert.True(run.Records[^1].Evaluation!.Accuracy > 0.4, $"It is {run.Records[^1].Evaluation!.Accuracy} in the end; untrained it is 0.1.");
    }
}
