using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Api;
using Federated.Server.Grains;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary>What the server shows of a device that its own policy keeps away.</summary>
public sealed class DevicePolicyTests(RunningServer server) : IClassFixture<RunningServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Client_WithAPolicyThatForbids_IsShownWithItsReasonAndTakesNoRound()
    {
        using TemporaryFolder folder = new();
        string policy = Path.Combine(folder.Path, "policy.json");
        await File.WriteAllTextAsync(policy, """{ "minFreeDiskMebibytes": 1000000000, "settleSeconds": 0 }""", Ct);
        await using ProgramRun client = ProgramRun.Start(
            "Federated.Client",
            "run", "--server", server.GrpcAddress.ToString(), "--device-id", "full-disk", "--population", "forbidden", "--state", folder.Path, "--json",
            "--policy", policy, "--data", $"idx:images={Mnist.TrainImages},labels={Mnist.TrainLabels},slice=0:10");

        DeviceRecord record = await RecordAsync("full-disk", record => record.Withheld.Length > 0);

        Assert.Equal("disk", record.Withheld);
        Assert.Contains("the policy leaves 1000000000 MiB to others", record.WithheldDetail, StringComparison.Ordinal);
        Assert.Empty(client.Output);
        Assert.False(client.HasEnded, client.Said);
    }

    [Fact]
    public async Task CheckIn_WithheldAndThenNot_ForgetsTheReason()
    {
        DeviceService.DeviceServiceClient devices = new(server.Channel);
        CheckInRequest request = new()
        {
            ProtocolVersion = ProtocolLimits.Version,
            DeviceId = "cools-down",
            Population = "hot",
            MaxHoldMs = 60_000,
            Withheld = PolicyReason.Temperature,
            WithheldDetail = "The hottest sensor has 90 °C, the policy allows 80 °C.",
        };

        Retry answer = (await devices.CheckInAsync(request, cancellationToken: Ct)).Retry;
        Assert.Equal((RetryReason.Withheld, 0u), (answer.Reason, answer.AfterMs));
        DeviceRecord withheld = await RecordAsync("cools-down", record => record.Withheld.Length > 0);
        Assert.Equal(("temperature", request.WithheldDetail), (withheld.Withheld, withheld.WithheldDetail));

        request.Withheld = PolicyReason.Unspecified;
        request.WithheldDetail = "";
        request.MaxHoldMs = 0;
        Assert.Equal(RetryReason.NoDemand, (await devices.CheckInAsync(request, cancellationToken: Ct)).Retry.Reason);

        DeviceRecord back = await RecordAsync("cools-down", record => record.Withheld.Length == 0);
        Assert.Equal(withheld.FirstSeen, back.FirstSeen);
    }

    [Theory]
    [InlineData(PolicyReason.Throttled, "policy-throttled")]
    [InlineData(PolicyReason.Unspecified, "policy")]
    [InlineData((PolicyReason)99, "policy-reason-99")]
    public async Task ReportAbort_ByPolicy_IsDroppedWithTheReason(PolicyReason reason, string shown)
    {
        VectorJob job = await VectorJob.SubmitAsync(server, $"policy-{(int)reason}", devices: 2, goal: 2, rounds: 1, quorum: 0.5);
        PlanDocument plan = await job.OpenRoundAsync();
        await new DeviceService.DeviceServiceClient(server.Channel).ReportAbortAsync(
            new AbortReport { DeviceId = job.Devices[0].Id, JobId = job.JobId, Round = 1, Reason = AbortReason.Policy, Policy = reason, Detail = "hot" },
            cancellationToken: Ct);
        await VectorJob.ContributeAsync(plan, job.Devices[1]);

        RoundRecord record = await server.RecordAsync(job.JobId, 1);

        Assert.Equal(1, record.Dropped[shown]);
    }

    private Task<DeviceRecord> RecordAsync(string device, Func<DeviceRecord, bool> condition) => Eventually.GetAsync<DeviceRecord>($"the record of {device}", async () =>
    {
        try
        {
            DeviceRecord? record = (await server.Api.DeviceAsync(device, Ct)).Record;
            return record is not null && condition(record) ? record : null;
        }
        catch (ServerApiException)
        {
            return null;
        }
    });
}
