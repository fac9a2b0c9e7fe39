using Federated.Client.Transport;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Jobs;
using Federated.Server.Privacy;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Linear;

namespace Federated.EndToEnd.Tests;

/// <summary>Differential privacy in rounds, over the wire and with real clients.</summary>
public sealed class PrivacyTests
{
    private const int Devices = 10;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("gaussian", 8)]
    [InlineData("skellam", 16)]
    public async Task Run_WithNoise_CountsEpsilonAndStillLearns(string mechanism, int epochs)
    {
        (JobStatus job, IReadOnlyList<RoundRecord> records) = await RunAsync(
            $$"""{ "mechanism": "{{mechanism}}", "noiseMultiplier": 0.05, "clipCountDeviation": 2 }""", rounds: 3, epochs);

        Assert.Equal((JobState.Completed, "all 3 rounds done"), (job.State, job.Reason));
        Assert.All(records, record => Assert.Equal((RoundOutcome.Committed, Devices), (record.Outcome, record.Accepted)));
        double[] spent = [.. records.Select(record => record.Epsilon!.Value)];
        Assert.True(spent[0] > 0 && spent[0] < spent[1] && spent[1] < spent[2], string.Join(", ", spent));
        Assert.Equal((spent[2], 1e-5, 3), (job.Privacy!.Epsilon, job.Privacy.Delta, job.Privacy.Participations));
        Assert.Contains(mechanism == "skellam" ? "honestly" : "the server is trusted", job.Privacy.Statement, StringComparison.Ordinal);
        Assert.InRange(job.Accuracy!.Value, 0.3, 1);

        // Noise of the clients leaves nothing but the number of devices and a noisy count of those within the clip norm.
        Assert.All(records, record => Assert.Equal(Devices, record.Examples));
        Assert.All(records, record => Assert.Equal(mechanism == "skellam", record.TrainLoss == 0));

        // It adapts; a step up and a step down may bring it back to where it was.
        Assert.True(records.Select(record => record.ClipNorm).Distinct().Count() > 1, $"The clip norm stays {records[0].ClipNorm}.");
    }

    [Fact]
    public async Task Run_BudgetSpent_EndsBeforeTheRoundThatWouldExceedIt()
    {
        (JobStatus job, IReadOnlyList<RoundRecord> records) = await RunAsync(
            """{ "noiseMultiplier": 2, "epsilonBudget": 5.5 }""", rounds: 20, epochs: 1, clipQuantile: "null");

        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal(records.Count, job.Round);
        Assert.InRange(records.Count, 2, 19);
        Assert.StartsWith(FormattableString.Invariant($"privacy budget reached in round {records.Count}: ε = "), job.Reason, StringComparison.Ordinal);
        Assert.InRange(job.Privacy!.Epsilon, records[^2].Epsilon!.Value, 5.5);
        Assert.Equal(5.5, job.Privacy.Budget);
    }

    [Fact]
    public async Task Run_SumSeenAndRefused_IsChargedAllTheSame()
    {
        LinearRound? linear = null;
        (JobStatus job, IReadOnlyList<RoundRecord> records) = await RunAsync(
            """{ "noiseMultiplier": 2 }""",
            rounds: 1,
            epochs: 1,
            assigned: (_, plan, _) =>
            {
                linear = plan.Linear;
                return ValueTask.CompletedTask;
            },
            linkOf: (device, link) => device == 0 ? new LyingLink(link, () => linear!) : link);

        RoundRecord record = Assert.Single(records);
        Assert.Equal((RoundOutcome.Abandoned, 0), (record.Outcome, record.Accepted));
        Assert.Contains("clients sum up to 110 examples", Assert.Single(record.Groups!.Abandoned), StringComparison.Ordinal);
        Assert.Empty(record.Contributors);
        Assert.InRange(record.Epsilon!.Value, 3, 3.3);
        Assert.Equal((record.Epsilon.Value, 1), (job.Privacy!.Epsilon, job.Privacy.Participations));
    }

    [Fact]
    public async Task Run_FirstRoundDearerThanWhatWasAdmitted_IsNotBegun()
    {
        // Nine devices are one group, ten would be two: a larger group rounds more coarsely, and its noise costs a little more.
        const int Parameters = 64;
        JobSpec spec = JobSpec.Parse(Budgeted("100", Parameters));
        double[] costs = [.. new[] { 10, 9 }.Select(cohort =>
            PrivacyCost.Of(spec, LinearSettings.RoundOf(spec, 1, Parameters, spec.Update.ClipNorm, cohort)).Spent(spec.Privacy!.Delta).Epsilon)];
        Assert.True(costs[0] < costs[1], string.Join(", ", costs));
        string budget = ((costs[0] + costs[1]) / 2).ToString("R", System.Globalization.CultureInfo.InvariantCulture);

        using EnrolledFleet keys = new(KillableFleet.Names(9));
        await using RunningServer server = await RunningServer.StartAsync(devices: keys.Devices);
        await keys.KnowAsync(server.Api);
        JobStatus job = await server.Api.SubmitJobAsync(Budgeted(budget, Parameters), Ct);
        await using KillableFleet fleet = new((_, _, _, _) => ValueTask.CompletedTask);
        fleet.Start(9, server.GrpcAddress, keys);
        job = await server.EndAsync(job.JobId);
        Assert.Equal((JobState.Completed, 0L, 0), (job.State, job.Round, job.Privacy!.Participations));
        Assert.StartsWith("privacy budget reached in round 0: ε = 0.000", job.Reason, StringComparison.Ordinal);

        static string Budgeted(string budget, int parameters) => $$"""
            {
              "name": "priced", "population": "killable", "rounds": 3,
              "model": { "builder": "vector", "parameters": {{parameters}} },
              "cohort": { "goal": 10, "overSelection": 1.0, "quorum": 0.9 },
              "deadlines": { "selectSeconds": 0.1 },
              "update": { "codec": "linear", "density": 1, "valueBits": 14, "exampleCap": 1 },
              "aggregation": { "secure": { "groupSize": 5 } },
              "privacy": { "mechanism": "skellam", "noiseMultiplier": 2, "epsilonBudget": {{budget}} }
            }
            """;
    }

    private static async Task<(JobStatus Job, IReadOnlyList<RoundRecord> Records)> RunAsync(
        string privacy,
        int rounds,
        int epochs,
        string clipQuantile = "0.5",
        Func<int, PlanDocument, CancellationToken, ValueTask>? assigned = null,
        Func<int, IServerLink, IServerLink>? linkOf = null)
    {
        using EnrolledFleet keys = new(KillableFleet.Names(Devices));
        await using RunningServer server = await RunningServer.StartAsync(devices: keys.Devices);
        await keys.KnowAsync(server.Api);
        string spec = $$"""
            {
              "name": "private", "population": "killable", "seed": 5, "rounds": {{rounds}},
              "model": { "builder": "mlp", "hidden": [24] },
              "cohort": { "goal": {{Devices}}, "overSelection": 1.0, "minimumPool": {{Devices}} },
              "training": { "epochs": {{epochs}}, "batchSize": 10, "learningRate": 0.1 },
              "update": { "codec": "linear", "density": 1, "valueBits": 20, "exampleCap": 1, "clipNorm": 1, "clipQuantile": {{clipQuantile}} },
              "aggregation": { "secure": {} },
              "privacy": {{privacy}},
              "evaluation": { "data": { "kind": "idx", "images": "{{Mnist.TestImages}}", "labels": "{{Mnist.TestLabels}}" } }
            }
            """;
        JobStatus job = await server.Api.SubmitJobAsync(spec, Ct);
        await using KillableFleet fleet = new((_, _, _, _) => ValueTask.CompletedTask, assigned, linkOf);
        fleet.Start(Devices, server.GrpcAddress, keys);
        job = await server.EndAsync(job.JobId);
        return (job, await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, Ct));
    }
}
