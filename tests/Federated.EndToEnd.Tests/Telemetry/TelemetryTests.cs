using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Federated.EndToEnd.Tests.Access;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Hosting;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Server.Telemetry;
using Federated.Shared.Protocol;
using Federated.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Federated.EndToEnd.Tests.Telemetry;

/// <summary>What monitoring systems see of a server that has run a round.</summary>
public sealed partial class TelemetryTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_AfterARound_PassTheLinterAndHoldItsFigures()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        VectorJob job = await VectorJob.SubmitAsync(server, "metrics", devices: 2, goal: 2, rounds: 1);
        await job.HonestRoundAsync();
        RoundRecord record = await server.Api.RoundAsync(job.JobId, 1, Ct);
        using HttpClient http = new() { BaseAddress = server.Api.Address };
        string[] samples =
        [
            $"federated_rounds_total{{job_id=\"{job.JobId}\",outcome=\"committed\"}} 1",
            $"federated_updates_total{{job_id=\"{job.JobId}\",outcome=\"accepted\"}} 2",
            $"federated_transfer_bytes_total{{direction=\"up\",job_id=\"{job.JobId}\"}} {record.BytesUp}",
            "federated_round_phase_duration_seconds_bucket",
        ];

        // Every figure that the dashboard file asks for is one that the server has.
        string dashboard = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Find(), "docker", "grafana", "federated.json"), Ct);
        string[] asked = [.. Asked().Matches(dashboard).Select(match => match.Value).Distinct()];
        Assert.True(asked.Length >= 8, $"{asked.Length} metrics are asked for");
        string[] names = [.. asked.Where(name => !name.StartsWith("federated_model_", StringComparison.Ordinal))];

        // They are counted one after the other, and a scrape may come in between.
        string scrape = await Eventually.GetAsync($"all of these are there: {string.Join(", ", samples.Concat(names))}", async () =>
        {
            string text = await http.GetStringAsync(new Uri("metrics", UriKind.Relative), Ct);
            HashSet<string> there = [.. Name().Matches(text).Select(match => match.Groups[1].Value)];
            return Array.TrueForAll(samples, sample => text.Contains(sample, StringComparison.Ordinal)) && there.IsSupersetOf(names) ? text : null;
        });

        Assert.Empty(MetricsLint.Problems(scrape));
        if (MetricsLint.Promtool is { } promtool)
        {
            Assert.Equal("", await MetricsLint.AskPromtoolAsync(promtool, scrape, Ct));
        }

        Assert.DoesNotContain(job.Devices[0].Id, scrape, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("# HELP good_total A.\n# TYPE good_total counter\ngood_total 1\n", 0)]
    [InlineData("# TYPE bad_total counter\nbad_total 1\n", 1)]
    [InlineData("# HELP bad A.\n# TYPE bad counter\nbad 1\n", 1)]
    [InlineData("# HELP wait_milliseconds A.\n# TYPE wait_milliseconds gauge\nwait_milliseconds 1\n", 1)]
    [InlineData("# HELP wait_seconds_now A.\n# TYPE wait_seconds_now gauge\nwait_seconds_now 1\n", 1)]
    [InlineData("# HELP wait_count A.\n# TYPE wait_count gauge\nwait_count 1\n", 1)]
    [InlineData("# HELP Wait A.\n# TYPE Wait gauge\nWait 1\n", 1)]
    [InlineData("untyped 1\n", 1)]
    public void Lint_OfAScrape_FindsWhatIsWrong(string scrape, int problems) => Assert.Equal(problems, MetricsLint.Problems(scrape).Count);

    [Fact]
    public async Task Trace_OfARound_HoldsTheSpansOfAllItsClients()
    {
        ConcurrentQueue<Activity> spans = [];
        await using RunningServer server = await RunningServer.StartAsync();
        VectorJob job = await VectorJob.SubmitAsync(server, "traced", devices: 3, goal: 2, rounds: 1, quorum: 0.5);
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == RoundTrace.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        PlanDocument plan = await job.OpenRoundAsync();
        await VectorJob.ContributeAsync(plan, job.Devices[0], job.Devices[1]);
        RoundRecord record = await server.RecordAsync(job.JobId, 1);
        Activity round = await Eventually.GetAsync("the round is traced", () => Task.FromResult(spans.FirstOrDefault(span =>
            span.OperationName == "round" && Equals(span.GetTagItem("federated.job"), job.JobId))));

        Activity[] trace = [.. spans.Where(span => span.TraceId == round.TraceId)];
        Assert.Equal(default, round.ParentSpanId);
        Activity[] clients = [.. trace.Where(span => span.OperationName == "client")];
        Assert.Equal(job.Devices.Select(device => device.Id), clients.Select(span => (string)span.GetTagItem("federated.device")!).Order(StringComparer.Ordinal));
        Assert.All(clients, client => Assert.Equal(round.SpanId, client.ParentSpanId));
        Assert.Equal(["missing"], clients.Where(client => client.Status == ActivityStatusCode.Error).Select(client => (string)client.GetTagItem("federated.outcome")!));
        Assert.Equal(
            ["select", "collect", "commit", "evaluate"], trace.Where(span => span.ParentSpanId == round.SpanId && span.OperationName != "client").OrderBy(span => span.StartTimeUtc).Select(span => span.OperationName));
        Activity done = clients.Single(client => Equals(client.GetTagItem("federated.device"), job.Devices[0].Id));
        Assert.Equal(
            ["download", "encode", "other", "train", "upload"],
            trace.Where(span => span.ParentSpanId == done.SpanId).Select(span => span.OperationName).Order(StringComparer.Ordinal));
        Assert.Equal(record.Timing.TotalSeconds, round.Duration.TotalSeconds, 3);
    }

    [Fact]
    public async Task Otlp_WhenConfigured_CarriesEveryDeviceOfTheRound()
    {
        ConcurrentDictionary<string, byte[]> bodies = [];
        await using WebApplication collector = await CollectorAsync(bodies);
        using TemporaryFolder folder = new();
        VectorJob job;
        await using (RunningServer server = await RunningServer.StartAsync(telemetry: new TelemetryOptions { OtlpEndpoint = new Uri(collector.Urls.Single()), OtlpOverHttp = true }))
        {
            job = await VectorJob.SubmitAsync(server, "exported", devices: 2, goal: 2, rounds: 1);
            await job.HonestRoundAsync();
            _ = await server.EndAsync(job.JobId);
        }

        // What was not sent yet is sent when the server stops.
        string traces = System.Text.Encoding.Latin1.GetString(bodies.Single(body => body.Key.EndsWith("/v1/traces", StringComparison.Ordinal)).Value);
        Assert.All(job.Devices, device => Assert.Contains(device.Id, traces, StringComparison.Ordinal));
        Assert.Contains("federated.rounds", System.Text.Encoding.Latin1.GetString(bodies.Single(body => body.Key.EndsWith("/v1/metrics", StringComparison.Ordinal)).Value), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_OfAGuardedServer_IsOpenAndMetricsAreNot()
    {
        await using GuardedServer server = await GuardedServer.StartAsync();
        using HttpResponseMessage live = await server.SendAsync(HttpMethod.Get, "healthz");
        using HttpResponseMessage closed = await server.SendAsync(HttpMethod.Get, "metrics");
        using HttpResponseMessage open = await server.SendAsync(HttpMethod.Get, "metrics", GuardedServer.ViewerToken);

        Assert.Equal("ok", await live.Content.ReadAsStringAsync(Ct));
        await server.IsReadyAsync();
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (closed.StatusCode, open.StatusCode));
    }

    private static async Task<WebApplication> CollectorAsync(ConcurrentDictionary<string, byte[]> bodies)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        WebApplication app = builder.Build();
        app.Run(async context =>
        {
            using MemoryStream body = new();
            await context.Request.Body.CopyToAsync(body);
            bodies.AddOrUpdate(context.Request.Path, body.ToArray(), (_, earlier) => [.. earlier, .. body.ToArray()]);
            context.Response.StatusCode = StatusCodes.Status200OK;
        });
        await app.StartAsync(Ct);
        return app;
    }

    [GeneratedRegex(@"^([a-zA-Z_:][a-zA-Z0-9_:]*)[{ ]", RegexOptions.Multiline)]
    private static partial Regex Name();

    [GeneratedRegex(@"(federated|dotnet)_[a-z0-9_]+")]
    private static partial Regex Asked();
}
