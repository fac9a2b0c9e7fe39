using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Federated.Client.Operations;
using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Shared.Protos;
using Federated.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Client.Tests.Operations;

public sealed class OperationsTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_CheckInsWithoutAnswer_IsNotWellUntilOneIsAnswered()
    {
        DeviceHealth health = new(_time);
        await using HealthEndpoint endpoint = new(0, health, RoundScene.Patience);
        using HttpClient http = new();
        for (int i = 0; i <= DeviceHealth.MostUnanswered; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(endpoint.Address, Cancelled)).StatusCode);
            health.Missed();
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync(endpoint.Address, Cancelled)).StatusCode);
        health.Note(Report(SessionResult.Accepted));
        health.Note(Report(SessionResult.Aborted));

        using JsonDocument line = JsonDocument.Parse(await http.GetStringAsync(endpoint.Address, Cancelled));
        Assert.Equal("well", line.RootElement.GetProperty("state").GetString());
        Assert.Equal(1, line.RootElement.GetProperty("contributed").GetInt64());
        Assert.Equal(1, line.RootElement.GetProperty("givenUp").GetInt64());
        Assert.Equal("Aborted", line.RootElement.GetProperty("lastResult").GetString());
    }

    [Fact]
    public async Task Endpoint_WhoSaysNothingOrTooMuch_DoesNotKeepOthersOut()
    {
        await using HealthEndpoint endpoint = new(0, new DeviceHealth(_time), RoundScene.Patience);
        using TcpClient rude = new();
        await rude.ConnectAsync(IPAddress.Loopback, endpoint.Address.Port, Cancelled);
        await rude.GetStream().WriteAsync(new byte[10_000], Cancelled);
        using (TcpClient gone = new())
        {
            await gone.ConnectAsync(IPAddress.Loopback, endpoint.Address.Port, Cancelled);
        }

        using HttpClient http = new();
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(endpoint.Address, Cancelled)).StatusCode);
    }

    [Fact]
    public async Task NewerProgram_ReplacedInARound_EndsAfterIt()
    {
        using TemporaryFolder folder = new();
        string program = folder.Write("program", [1]);
        int ended = 0;
        using NewerProgram newer = new(program, () => ended++, _time);
        ClientIdentity who = new("d", "p", new Dictionary<string, string>());
        _time.Advance(TimeSpan.FromSeconds(10));
        await newer.AssignedAsync(who, null!, Cancelled);
        File.SetLastWriteTimeUtc(program, new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(0, ended);
        await newer.EndedAsync(who, Report(SessionResult.Accepted), Cancelled);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, ended);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, ended);
    }

    [Fact]
    public void NewerProgram_FileGoneForAMoment_DoesNotEnd()
    {
        using TemporaryFolder folder = new();
        string program = folder.Write("program", [1]);
        using NewerProgram newer = new(program, () => Assert.Fail("It ended."), _time);

        File.Delete(program);

        _time.Advance(TimeSpan.FromSeconds(10));
    }

    private static SessionReport Report(SessionResult result) => new(result, TimeSpan.Zero, null, SubmitOutcome.Unspecified, "", null, 0, 0);
}
