using System.Text;
using System.Text.Json;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Api;
using Federated.Server.Collection;
using Federated.Server.Grains;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.EndToEnd.Tests;

/// <summary>What the API tells of devices, versions and rounds after a round in which one device gave up and one never reported.</summary>
public sealed class StatisticsApiTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Devices_AfterARound_HaveHistoryAndErrors()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        VectorJob job = await RunRoundAsync(server);

        List<DeviceSummary> devices = await server.Api.DevicesAsync(Ct);
        Assert.Equal(job.Devices.Select(device => device.Id), devices.Select(device => device.DeviceId));
        Assert.All(devices, device => Assert.Equal(("stub", "none", DevicePresence.Resting), (device.ClientVersion, device.Engine, device.Presence)));

        DeviceRecord done = await RecordAsync(server, job.Devices[0].Id);
        DeviceRecord gaveUp = await RecordAsync(server, job.Devices[1].Id);
        Assert.Equal((1L, 1L), (done.Selected, done.Contributed));
        Assert.Equal((job.JobId, 1L, ClientOutcome.Done), (done.Rounds[0].JobId, done.Rounds[0].Round, done.Rounds[0].Outcome));
        Assert.Empty(done.Errors);
        Assert.Equal((1L, 0L), (gaveUp.Selected, gaveUp.Contributed));
        Assert.Equal("gave up: training failed", Assert.Single(gaveUp.Errors).Text.Replace('-', ' ').Replace('_', ' '), ignoreCase: true);
    }

    [Fact]
    public async Task Devices_NeverSeen_AreNotFound()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        ServerApiException missing = await Assert.ThrowsAsync<ServerApiException>(() => server.Api.DeviceAsync("nobody", Ct));
        Assert.Equal((int)Federated.Shared.Protocol.ErrorCode.NotFound, missing.Error!.Code);
    }

    [Fact]
    public async Task Models_Versions_NameRoundsAndWhatIsKept()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        VectorJob job = await RunRoundAsync(server);
        RoundRecord record = await server.Api.RoundAsync(job.JobId, 1, Ct);

        List<ModelVersion> versions = await server.Api.ModelVersionsAsync(job.JobId, Ct);

        Assert.Equal([(0L, 0L, true), (1L, 1L, true)], versions.Select(version => (version.Version, version.Round, version.Kept)));
        Assert.Equal(record.AdapterSha256, versions[1].AdapterSha256);
        using HttpClient http = new() { BaseAddress = server.Api.Address };
        byte[] first = await http.GetByteArrayAsync(new Uri($"api/v1/jobs/{job.JobId}/adapter?version=0", UriKind.Relative), Ct);
        Assert.Equal(versions[0].AdapterSha256, Shared.Models.ContentHash.Of(first).Hex);
        using HttpResponseMessage none = await http.GetAsync(new Uri($"api/v1/jobs/{job.JobId}/adapter?version=7", UriKind.Relative), Ct);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task Export_OfRoundsAndClients_HoldsTheSameFiguresInBothFormats()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        VectorJob job = await RunRoundAsync(server);
        RoundRecord record = await server.Api.RoundAsync(job.JobId, 1, Ct);
        RoundTimeline timeline = await server.Api.TimelineAsync(job.JobId, 1, Ct);

        string[][] rounds = Csv(await ExportAsync(server, job.JobId, "rounds", "csv"));
        Assert.Equal(2, rounds.Length);
        Assert.All(rounds, row => Assert.Equal(rounds[0].Length, row.Length));
        Assert.Equal(record.AdapterSha256, rounds[1][Array.IndexOf(rounds[0], "adapterSha256")]);
        Assert.Equal(record.Timing.TotalSeconds.ToString("R", System.Globalization.CultureInfo.InvariantCulture), rounds[1][Array.IndexOf(rounds[0], "totalSeconds")]);
        Assert.Equal("1", rounds[1][Array.IndexOf(rounds[0], "dropped")]);
        Assert.Equal(JsonSerializer.Serialize(record), JsonSerializer.Serialize(JsonSerializer.Deserialize<RoundRecord>(
            await ExportAsync(server, job.JobId, "rounds", "jsonl"), Server.Jobs.RoundRecords.Json)));

        string[][] clients = Csv(await ExportAsync(server, job.JobId, "clients", "csv"));
        Assert.Equal(timeline.Clients.Select(client => client.DeviceId), clients.Skip(1).Select(row => row[Array.IndexOf(clients[0], "deviceId")]));
        Assert.Equal(["done", "dropped"], clients.Skip(1).Select(row => row[Array.IndexOf(clients[0], "outcome")]));
        string[] lines = (await ExportAsync(server, job.JobId, "clients", "jsonl")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(timeline.Clients, lines.Select(line => JsonSerializer.Deserialize<ClientTimeline>(line, Server.Jobs.RoundRecords.Json)!));
        ServerApiException unknown = await Assert.ThrowsAsync<ServerApiException>(() => ExportAsync(server, job.JobId, "rounds", "xlsx"));
        Assert.Equal((int)Federated.Shared.Protocol.ErrorCode.InvalidSetting, unknown.Error!.Code);
    }

    private static async Task<VectorJob> RunRoundAsync(RunningServer server)
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "statistics", devices: 2, goal: 2, rounds: 1, quorum: 0.5);
        PlanDocument plan = await job.OpenRoundAsync();
        await VectorJob.ContributeAsync(plan, job.Devices[0]);
        DeviceService.DeviceServiceClient devices = new(server.Channel);
        await devices.ReportAbortAsync(
            new AbortReport { DeviceId = job.Devices[1].Id, JobId = job.JobId, Round = 1, Reason = AbortReason.TrainingFailed }, cancellationToken: Ct);
        await job.CommittedAsync(plan, job.Devices[0]);
        _ = await server.EndAsync(job.JobId);
        return job;
    }

    private static Task<DeviceRecord> RecordAsync(RunningServer server, string device) => Eventually.GetAsync($"{device} has a history", async () =>
        (await server.Api.DeviceAsync(device, Ct)).Record is { Rounds.Count: 1 } record ? record : null);

    private static async Task<string> ExportAsync(RunningServer server, string jobId, string what, string format)
    {
        using MemoryStream output = new();
        await server.Api.ExportAsync(jobId, what, format, null, output, Ct);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private static string[][] Csv(string text) => [.. text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(','))];
}
