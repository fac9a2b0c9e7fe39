using System.Collections.Concurrent;
using Federated.Client.Session;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Randomness;

namespace Federated.EndToEnd.Tests;

/// <summary>Rounds under secure aggregation, over the wire and with real clients.</summary>
public sealed class SecureAggregationTests
{
    private const string Linear = """{ "codec": "linear", "density": 0.5, "exampleCap": 60, "clipQuantile": 0.9 }""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_SameSeed_GivesTheSameModelWithAndWithoutMasks()
    {
        SeededRun plain = await SeededRun.RunAsync(update: Linear);
        SeededRun masked = await SeededRun.RunAsync(update: Linear, aggregation: """{ "secure": {} }""");

        Assert.Equal(plain.Records.Select(record => record.AdapterSha256), masked.Records.Select(record => record.AdapterSha256));
        Assert.Equal(plain.AdapterSha256, masked.AdapterSha256);
        Assert.All(plain.Records.Zip(masked.Records), pair => Assert.Equal(
            (pair.First.Examples, pair.First.TrainLoss, pair.First.ClippedShare, pair.First.Accepted),
            (pair.Second.Examples, pair.Second.TrainLoss, pair.Second.ClippedShare, pair.Second.Accepted)));
        Assert.All(masked.Records, record => Assert.Equal(1, record.Groups!.Count));
        Assert.All(plain.Records, record => Assert.Null(record.Groups));

        // Keys, shares and signatures of a group of five.
        Assert.InRange(masked.Records[0].BytesUp - plain.Records[0].BytesUp, 1, 5 * 2_000);
    }

    [Fact]
    public async Task Run_AlongDirections_GivesTheSameModelWithAndWithoutMasks()
    {
        const string Training = """{ "epochs": 1, "batchSize": 20, "learningRate": 0.003, "directions": { "count": 32 } }""";
        const string Update = """{ "codec": "linear", "density": 1, "valueBits": 16, "exampleCap": 60 }""";
        SeededRun plain = await SeededRun.RunAsync(update: Update, training: Training);
        SeededRun masked = await SeededRun.RunAsync(update: Update, training: Training, aggregation: """{ "secure": {} }""");
        Assert.Equal(plain.Records.Select(record => record.AdapterSha256), masked.Records.Select(record => record.AdapterSha256));
        Assert.Equal(SeededRun.Rounds, masked.Records.Select(record => record.AdapterSha256).Distinct().Count());

        // 32 amounts and what is told beside them, and the group's keys, shares and signatures.
        Assert.All(masked.Records, record => Assert.InRange(record.BytesUp / record.Accepted, 1, 6_000));
    }

    [Fact]
    public async Task Run_SeveralGroups_AddUpToTheSameModel()
    {
        // The step follows from the size of the largest group, so that the two models differ by rounding alone.
        JobStatus one = await RunAsync(9, """{ "secure": { "groupSize": 9, "minMembers": 3 } }""", rounds: 1, valueBits: 16);
        (JobStatus job, IReadOnlyList<RoundRecord> records) = await RunWithRecordsAsync(
            9, """{ "secure": { "groupSize": 3, "minMembers": 3 } }""", rounds: 1, valueBits: 16, (_, _, _, _) => ValueTask.CompletedTask);
        Assert.Equal(JobState.Completed, one.State);
        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal((3, 9), (records[0].Groups!.Count, records[0].Accepted));
        Assert.Equal(540, records[0].Examples);
        Assert.InRange(job.Loss!.Value - one.Loss!.Value, -0.01, 0.01);
    }

    [Fact]
    public async Task Run_ThirtyPercentKilledAtRandomMoments_CompletesAsGood()
    {
        const int Devices = 20;
        const int Rounds = 3;
        const int Killed = 6;
        GroupStep?[] steps = [null, GroupStep.Invitation, GroupStep.Roster, GroupStep.Shares, GroupStep.Survivors, GroupStep.Consistency];
        const string Secure = """{ "secure": { "minMembers": 10, "stepSeconds": 8, "keysShare": 0.2 } }""";

        (JobStatus calm, _) = await RunWithRecordsAsync(Devices, Secure, Rounds, 8, (_, _, _, _) => ValueTask.CompletedTask);
        ConcurrentDictionary<(long Round, int Device), int> dead = [];
        (JobStatus job, IReadOnlyList<RoundRecord> records) = await RunWithRecordsAsync(
            Devices,
            Secure,
            Rounds,
            8,
            (device, plan, step, _) => Kill(device, plan, 1 + Array.IndexOf(steps, step)),
            assigned: (device, plan, _) => Kill(device, plan, 0),
            deadline: TimeSpan.FromSeconds(300));

        // Six devices a round, each at one of seven moments: with the plan in hand, trained, or before one of the answers.
        ValueTask Kill(int device, PlanDocument plan, int moment)
        {
            SeededGenerator random = SeededGenerator.For(11, "killed", (ulong)plan.Round);
            int[] order = [.. Enumerable.Range(0, Devices)];
            random.Shuffle<int>(order);
            int place = Array.IndexOf(order, device);
            return place < Killed && (place + (int)plan.Round) % (1 + steps.Length) == moment && dead.TryAdd((plan.Round, device), moment)
                ? throw new KilledException()
                : ValueTask.CompletedTask;
        }

        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal(Rounds, records.Count);

        // On a slow machine a step may close without a device that was to die in a later one.
        Assert.InRange(dead.Count, (Rounds * Killed) - 3, Rounds * Killed);
        Assert.Equal(Enumerable.Range(0, 1 + steps.Length), dead.Values.Distinct().Order());
        Assert.All(records, record => Assert.Equal(RoundOutcome.Committed, record.Outcome));
        Assert.All(records, record => Assert.InRange(record.Accepted, Devices - Killed, Devices - 1));
        Assert.All(records, record => Assert.Equal(60L * record.Accepted, record.Examples));
        Assert.InRange(job.Accuracy!.Value, calm.Accuracy!.Value - 0.08, 1);
    }

    [Fact]
    public async Task Run_GroupBelowItsThreshold_IsAbandonedAndTheRoundGoesOn()
    {
        // In a group of three everyone is needed; its other two members are told, and the other group's sum counts.
        ConcurrentDictionary<long, int> groupOfFirst = [];
        (JobStatus job, IReadOnlyList<RoundRecord> records) = await RunWithRecordsAsync(
            6,
            """{ "secure": { "groupSize": 3, "minMembers": 3 } }""",
            rounds: 1,
            valueBits: 8,
            (device, plan, step, _) =>
            {
                if (device == 0 && step == GroupStep.Shares)
                {
                    groupOfFirst[plan.Round] = plan.Group!.Value;
                    throw new SimulatedLossException("vanishes before its masked input");
                }

                return ValueTask.CompletedTask;
            },
            quorum: 0.5);

        RoundRecord record = Assert.Single(records);
        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal((RoundOutcome.Committed, 3, 2), (record.Outcome, record.Accepted, record.Groups!.Count));
        Assert.Contains("the threshold is 3", Assert.Single(record.Groups.Abandoned), StringComparison.Ordinal);
        Assert.DoesNotContain(KillableFleet.NameOf(0), record.Contributors);
        Assert.Equal(180, record.Examples);
        Assert.Equal(("group-abandoned", 2), (record.Dropped.Keys.First(), record.Dropped["group-abandoned"]));
        Assert.Equal(1, record.Dropped["simulated-loss"]);
    }

    private static async Task<JobStatus> RunAsync(int devices, string aggregation, int rounds, int valueBits) =>
        (await RunWithRecordsAsync(devices, aggregation, rounds, valueBits, (_, _, _, _) => ValueTask.CompletedTask)).Job;

    private static async Task<(JobStatus Job, IReadOnlyList<RoundRecord> Records)> RunWithRecordsAsync(
        int devices,
        string aggregation,
        int rounds,
        int valueBits,
        Func<int, PlanDocument, GroupStep?, CancellationToken, ValueTask> hook,
        double quorum = 0.6,
        Func<int, PlanDocument, CancellationToken, ValueTask>? assigned = null,
        TimeSpan? deadline = null)
    {
        using EnrolledFleet keys = new(KillableFleet.Names(devices));
        await using RunningServer server = await RunningServer.StartAsync(devices: keys.Devices);
        await keys.KnowAsync(server.Api);
        JobStatus job = await server.Api.SubmitJobAsync(SecureJob.Spec(devices, aggregation, rounds, valueBits, quorum), Ct);
        await using KillableFleet fleet = new(hook, assigned);
        fleet.Start(devices, server.GrpcAddress, keys);
        job = await server.EndAsync(job.JobId, deadline);
        return (job, await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, Ct));
    }
}
