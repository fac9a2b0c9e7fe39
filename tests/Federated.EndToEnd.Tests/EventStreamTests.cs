using System.Text;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Api;
using Federated.Server.Cli;
using Federated.Server.Events;
using Federated.Server.Jobs;
using Federated.Shared.Protocol;

namespace Federated.EndToEnd.Tests;

/// <summary>What a watcher of the server sees, over HTTP.</summary>
public sealed class EventStreamTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_OfARound_AreToldInOrderAndResumeByNumber()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        IAsyncEnumerable<ServerEvent> stream = await server.Api.EventsAsync(null, null, Ct);
        VectorJob job = await VectorJob.SubmitAsync(server, "watched", devices: 2, goal: 2, rounds: 1);
        PlanDocument plan = await job.OpenRoundAsync();
        await VectorJob.ContributeAsync(plan, [.. job.Devices]);

        List<ServerEvent> seen = [];
        await foreach (ServerEvent happened in stream)
        {
            seen.Add(happened);
            if (happened is JobChanged { Job.State: JobState.Completed })
            {
                break;
            }
        }

        Assert.Equal(
            [RoundStage.Selecting, RoundStage.Collecting, RoundStage.Committing],
            seen.OfType<RoundStageChanged>().Select(stage => stage.Stage).Where(stage => stage != RoundStage.Evaluating));
        RoundRecorded recorded = Assert.Single(seen.OfType<RoundRecorded>());
        Assert.Equal((await server.Api.RoundAsync(job.JobId, 1, Ct)).AdapterSha256, recorded.Record.AdapterSha256);
        Assert.Equal(Enumerable.Range(0, seen.Count).Select(i => seen[0].EventId + i), seen.Select(happened => happened.EventId));

        // Resumed behind an event, the same stream follows.
        List<long> again = [];
        await foreach (ServerEvent happened in await server.Api.EventsAsync(job.JobId, seen[0].EventId, Ct))
        {
            Assert.Equal(job.JobId, happened.JobOf);
            again.Add(happened.EventId);
            if (happened.EventId >= seen[^1].EventId)
            {
                break;
            }
        }

        Assert.Equal(seen.Skip(1).Where(happened => happened.JobOf == job.JobId).Select(happened => happened.EventId), again);
    }

    [Fact]
    public async Task Events_WithALastEventIdThatIsNone_AreRefused()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpClient http = new() { BaseAddress = server.Api.Address };
        using HttpRequestMessage request = new(HttpMethod.Get, "api/v1/events");
        request.Headers.TryAddWithoutValidation("Last-Event-ID", "yesterday");

        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);

        Assert.Equal(System.Net.HttpStatusCode.UnprocessableEntity, response.StatusCode);
    }

    [Fact]
    public async Task Events_WhenNothingHappens_BeatAndEndWithTheServer()
    {
        StreamReader lines;
        await using (RunningServer server = await RunningServer.StartAsync())
        {
            HttpClient http = new() { BaseAddress = server.Api.Address };
            using HttpRequestMessage request = new(HttpMethod.Get, "api/v1/events?job=nothing");
            HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
            lines = new StreamReader(await response.Content.ReadAsStreamAsync(Ct), Encoding.UTF8);
            List<string?> seen = [];
            while (!seen.Contains(": beat") && !seen.Contains(null))
            {
                seen.Add(await lines.ReadLineAsync(Ct));
            }

            Assert.Equal(["retry: 2000", ": open", "", ": beat"], seen);
        }

        using (lines)
        {
            Assert.Equal("", (await lines.ReadToEndAsync(Ct)).Trim());
        }
    }

    [Fact]
    public async Task Watch_OfAJob_PrintsItsRoundsAndEndsWithIt()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        VectorJob job = await VectorJob.SubmitAsync(server, "watch", devices: 1, goal: 1, rounds: 2);
        StringWriter output = new();
        Task<int> watch = new WatchCommand.Watch(server.Api, job.JobId, json: false, output, TimeProvider.System).RunAsync(Ct);
        await VectorJob.ContributeAsync(await job.Devices[0].CheckInAsync(), job.Devices[0]);
        _ = await server.RecordAsync(job.JobId, 1);
        await VectorJob.ContributeAsync(await job.Devices[0].CheckInAsync(), job.Devices[0]);

        Assert.Equal(0, await watch);
        string text = output.ToString();
        Assert.Contains("round 1 committed 1/1 updates", text, StringComparison.Ordinal);
        Assert.Contains("round 2 committed 1/1 updates", text, StringComparison.Ordinal);
        Assert.EndsWith($"job {job.JobId} completed 2/2: all 2 rounds done{Environment.NewLine}", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_OfACancelledJob_Fails()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        VectorJob job = await VectorJob.SubmitAsync(server, "stopped", devices: 1, goal: 1, rounds: 2);
        StringWriter output = new();
        Task<int> watch = new WatchCommand.Watch(server.Api, job.JobId, json: true, output, TimeProvider.System).RunAsync(Ct);
        _ = await server.Api.CancelJobAsync(job.JobId, Ct);

        Assert.Equal(1, await watch);
        string last = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)[^1];
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(last);
        Assert.Equal("cancelled", document.RootElement.GetProperty("event").GetProperty("job").GetProperty("state").GetString());
    }
}
