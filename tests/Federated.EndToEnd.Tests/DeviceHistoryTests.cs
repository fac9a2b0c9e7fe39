using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Api;
using Federated.Server.Cli;
using Federated.Server.Grains;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.EndToEnd.Tests;

/// <summary>A device's history tells how its part in a round ended, also what came when the round was over.</summary>
public sealed class DeviceHistoryTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task History_RoundClosedAtItsGoal_TellsDoneMissingAndThenLate()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        VectorJob job = await VectorJob.SubmitAsync(server, "history", devices: 4, goal: 2, rounds: 1, quorum: 0.5);
        PlanDocument plan = await job.OpenRoundAsync();
        await job.Devices[3].AbortAsync(plan, AbortReason.OutOfMemory);
        await VectorJob.ContributeAsync(plan, job.Devices[0], job.Devices[1]);
        _ = await server.RecordAsync(job.JobId, 1);

        await IsAsync(server, job.Devices[0].Id, ClientOutcome.Done, "");
        await IsAsync(server, job.Devices[2].Id, ClientOutcome.Missing, "");
        await IsAsync(server, job.Devices[3].Id, ClientOutcome.Dropped, "out-of-memory");

        Assert.Equal(SubmitOutcome.Late, (await job.Devices[2].SubmitAsync(plan)).Outcome);
        Assert.Equal(SubmitOutcome.Late, (await job.Devices[2].SubmitAsync(plan)).Outcome);

        DeviceRound late = await IsAsync(server, job.Devices[2].Id, ClientOutcome.Late, "");
        ClientTimeline client = (await server.Api.TimelineAsync(job.JobId, 1, Ct)).Clients.Single(client => client.DeviceId == job.Devices[2].Id);
        Assert.Equal((client.Outcome, client.Reason), (late.Outcome, late.Reason));
        DeviceRecord record = (await server.Api.DeviceAsync(job.Devices[2].Id, Ct)).Record!;
        Assert.Equal((1L, 0L), (record.Selected, record.Contributed));
        Assert.Equal("its update came after the round had closed", Assert.Single(record.Errors).Text);
    }

    [Fact]
    public async Task History_RoundClosedAtItsDeadline_TellsDroppedWithTheReasonAndThenLate()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        (VectorJob job, PlanDocument plan) = await VectorJob.BeforeItsDeadlineAsync(server, "deadline", devices: 3, rounds: 1, quorum: 0.3, 0);
        RoundRecord record = await server.RecordAsync(job.JobId, 1);
        Assert.Equal(2, record.Dropped["deadline"]);

        await IsAsync(server, job.Devices[1].Id, ClientOutcome.Dropped, "deadline");
        await IsAsync(server, job.Devices[2].Id, ClientOutcome.Dropped, "deadline");
        Assert.Equal(
            ["", "deadline", "deadline"],
            (await server.Api.TimelineAsync(job.JobId, 1, Ct)).Clients.OrderBy(client => client.DeviceId, StringComparer.Ordinal).Select(client => client.Reason));

        Assert.Equal(SubmitOutcome.Late, (await job.Devices[2].SubmitAsync(plan)).Outcome);

        await IsAsync(server, job.Devices[2].Id, ClientOutcome.Late, "");
        await IsAsync(server, job.Devices[1].Id, ClientOutcome.Dropped, "deadline");
        Assert.Equal(1, (await server.Api.RoundAsync(job.JobId, 1, Ct)).Late);
    }

    // What is told of a device is told without waiting for it.
    private static async Task<DeviceRound> IsAsync(RunningServer server, string device, ClientOutcome outcome, string reason)
    {
        DeviceDetail detail = await Eventually.GetAsync($"{device} is {outcome}", async () =>
            await server.Api.DeviceAsync(device, Ct) is { Record.Rounds: [.., { } last] } found && last.Outcome == outcome ? found : null);
        DeviceRound round = Assert.Single(detail.Record!.Rounds);
        Assert.Equal(reason, round.Reason);
        string[] row = DeviceTable.RowOf(round);
        Assert.Equal((outcome.ToString().ToLowerInvariant(), reason), (row[2], row[3]));
        return round;
    }
}
