using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>
/// A job over a bare vector with its own population of stub devices, and the adapter it must have after every round according to
/// <see cref="ExactMean"/>.
/// </summary>
internal sealed class VectorJob
{
    private static int _populations;

    private readonly RunningServer _server;
    private float[] _adapter;
    private long _version;

    private VectorJob(RunningServer server, JobStatus status, StubDevice[] devices, float[] adapter)
    {
        _server = server;
        JobId = status.JobId;
        Devices = devices;
        _adapter = adapter;
    }

    /// <summary>The job.</summary>
    public string JobId { get; }

    /// <summary>The cohort of every round, in ordinal order.</summary>
    public StubDevice[] Devices { get; }

    /// <summary>Name of the adapter the job must have now.</summary>
    public string AdapterSha256 => ExactMean.Sha256Of(_version, _adapter);

    /// <summary>The text of a spec in which all <paramref name="devices"/> devices are selected for every round.</summary>
    public static string Spec(string name, int devices, int goal, int rounds, int parameters, double reportSeconds = 600, double quorum = 1.0, string population = "everyone") => $$"""
        {
          "name": "{{name}}", "population": "{{population}}", "rounds": {{rounds}},
          "model": { "builder": "vector", "parameters": {{parameters}} },
          "cohort": { "goal": {{goal}}, "overSelection": {{devices / (decimal)goal}}, "quorum": {{quorum:F2}}, "minimumPool": {{devices}} },
          "deadlines": { "reportSeconds": {{reportSeconds}} }
        }
        """;

    /// <summary>Submits the job for a population of its own; the devices are called after the job's name.</summary>
    public static async Task<VectorJob> SubmitAsync(
        RunningServer server, string name, int devices, int goal, int rounds, int parameters = 64, double reportSeconds = 600, double quorum = 1.0)
    {
        string population = $"population-{Interlocked.Increment(ref _populations)}";
        string spec = Spec(name, devices, goal, rounds, parameters, reportSeconds, quorum, population);
        JobStatus status = await server.Api.SubmitJobAsync(spec, TestContext.Current.CancellationToken);
        StubDevice[] stubs = [.. Enumerable.Range(0, devices).Select(i => new StubDevice($"{name}-{i}", population, server.Channel))];
        VectorJob job = new(server, status, stubs, new float[parameters]);
        Assert.Equal(job.AdapterSha256, status.AdapterSha256);
        return job;
    }

    /// <summary>
    /// A job whose first round has the updates of <paramref name="contributors"/>, by their index, and waits for its deadline. The deadline is short, as the test
    /// has to wait for it: for a machine that was too slow for it another job begins, with three times as much.
    /// </summary>
    public static async Task<(VectorJob Job, PlanDocument Plan)> BeforeItsDeadlineAsync(
        RunningServer server, string name, int devices, int rounds, double quorum, params int[] contributors)
    {
        const int tries = 4;
        double reportSeconds = 1.5;
        for (int i = 1; ; i++, reportSeconds *= 3)
        {
            VectorJob job = await SubmitAsync(server, $"{name}-{i}", devices, goal: devices, rounds, reportSeconds: reportSeconds, quorum: quorum);
            PlanDocument plan = await job.OpenRoundAsync();
            List<SubmitOutcome> outcomes = [];
            foreach (int contributor in contributors)
            {
                outcomes.Add((await job.Devices[contributor].SubmitAsync(plan)).Outcome);
            }

            if (outcomes.TrueForAll(outcome => outcome == SubmitOutcome.Accepted))
            {
                return (job, plan);
            }

            Assert.All(outcomes, outcome => Assert.True(outcome is SubmitOutcome.Accepted or SubmitOutcome.Late or SubmitOutcome.RoundAbandoned, $"{outcome}"));
            Assert.True(i < tries, $"{contributors.Length} updates were too late for a deadline of {reportSeconds} s.");
            if (plan.Round < rounds)
            {
                await server.Api.CancelJobAsync(job.JobId, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>All devices check in and get the round's plan.</summary>
    public async Task<PlanDocument> OpenRoundAsync()
    {
        PlanDocument[] plans = await Task.WhenAll(Devices.Select(device => device.CheckInAsync()));
        Assert.Single(plans.Select(plan => plan.Round).Distinct());
        Assert.Equal(AdapterSha256, plans[0].Adapter.Hex);
        return plans[0];
    }

    /// <summary>These devices submit and are accepted.</summary>
    public static async Task ContributeAsync(PlanDocument plan, params StubDevice[] devices)
    {
        foreach (StubDevice device in devices)
        {
            SubmitReply reply = await device.SubmitAsync(plan);
            Assert.True(reply.Outcome == SubmitOutcome.Accepted, $"{device.Id} was answered {reply.Outcome}: {reply.Detail}");
        }
    }

    /// <summary>
    /// The record of a round that has committed: exactly <paramref name="contributors"/> are in it, and the model moved by their exact
    /// mean and by nothing else.
    /// </summary>
    public async Task<RoundRecord> CommittedAsync(PlanDocument plan, params StubDevice[] contributors)
    {
        RoundRecord record = await _server.RecordAsync(JobId, plan.Round);
        Assert.Equal(RoundOutcome.Committed, record.Outcome);
        Assert.Equal(contributors.Select(device => device.Id).Order(StringComparer.Ordinal), record.Contributors);
        Assert.Equal(contributors.Length, record.Accepted);
        _adapter = ExactMean.Step(_adapter, [.. contributors.Select(device => StubUpdate.For(device.Id, plan))]);
        _version++;
        Assert.Equal(_version, record.ModelVersion);
        Assert.Equal(AdapterSha256, record.AdapterSha256);
        return record;
    }

    /// <summary>A round in which everybody is honest.</summary>
    public async Task<PlanDocument> HonestRoundAsync()
    {
        PlanDocument plan = await OpenRoundAsync();
        await ContributeAsync(plan, Devices);
        await CommittedAsync(plan, Devices);
        return plan;
    }
}
