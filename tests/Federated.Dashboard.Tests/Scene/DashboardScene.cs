using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Access;
using Federated.Server.Api;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;

namespace Federated.Dashboard.Tests.Scene;

/// <summary>
/// The real server with a small simulated fleet that never rests: every device takes part in every round, one of them trains much longer than the others.
/// </summary>
public sealed class DashboardScene : IAsyncLifetime
{
    /// <summary>The device that every round waits for.</summary>
    public const string SlowDevice = "throttled-device";

    private const string Population = "bench";
    private const int QuickDevices = 4;
    private static readonly TimeSpan _quick = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _slow = TimeSpan.FromMilliseconds(1500);

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _stop = new();
    private FederatedServer? _server;
    private GrpcChannel? _channel;
    private Task _fleet = Task.CompletedTask;

    /// <summary>Where the dashboard is.</summary>
    public Uri Address => _server!.ApiAddress;

    /// <summary>The HTTP API.</summary>
    public ServerApiClient Api { get; private set; } = null!;

    /// <summary>A job that goes on for as long as the tests do.</summary>
    public string JobId { get; private set; } = "";

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _server = await StartServerAsync(_folder, new AccessOptions());
        Api = new ServerApiClient(Address);
        _channel = GrpcChannel.ForAddress(_server.GrpcAddress);
        JobId = (await Api.SubmitJobAsync(Spec("endless"), TestContext.Current.CancellationToken)).JobId;
        string[] names = [.. Enumerable.Range(1, QuickDevices).Select(device => $"quick-device-{device}"), SlowDevice];
        _fleet = Task.WhenAll(names.Select(name => ServeAsync(new StubDevice(name, Population, _channel), name == SlowDevice ? _slow : _quick)));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Api?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        await _fleet.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _channel?.Dispose();
        _stop.Dispose();
        _folder.Dispose();
    }

    /// <summary>Starts a server on free loopback ports.</summary>
    internal static Task<FederatedServer> StartServerAsync(TemporaryFolder folder, AccessOptions access) => FederatedServer.StartAsync(
        new ServerOptions
        {
            GrpcPort = 0,
            ApiPort = 0,
            Threads = 1,
            Storage = new StorageOptions { Kind = StorageKind.Files, Path = folder.Path },
            LogLevel = LogLevel.Critical,
            Access = access,
            Selection = new SelectionOptions { Pace = new PaceOptions { MinRetry = TimeSpan.FromMilliseconds(10), MaxRetry = TimeSpan.FromMilliseconds(50) } },
        },
        TestContext.Current.CancellationToken);

    /// <summary>A job in which the whole fleet takes part in every round.</summary>
    internal static string Spec(string name) => $$"""
        {
          "name": "{{name}}", "population": "{{Population}}", "rounds": 1000000,
          "model": { "builder": "vector", "parameters": 64 },
          "cohort": { "goal": {{QuickDevices + 1}}, "overSelection": 1.0, "minimumPool": {{QuickDevices + 1}} }
        }
        """;

    /// <summary>The record of a round, once it has one.</summary>
    internal Task<RoundRecord> RecordAsync(long round) => Eventually.GetAsync($"round {round} has ended", async () =>
        (await Api.RoundsAsync(JobId, round - 1, TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken)).Find(record => record.Round == round));

    /// <summary>A job as it stands, once it stands so.</summary>
    internal Task<JobStatus> StateAsync(string jobId, JobState state) => Eventually.GetAsync($"{jobId} is {state}", async () =>
        await Api.GetJobAsync(jobId, TestContext.Current.CancellationToken) is { } job && job.State == state ? job : null);

    // What a device would train is a pause here: it is part of what is simulated.
    private async Task ServeAsync(StubDevice device, TimeSpan training)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (await device.CheckInOnceAsync(TimeSpan.FromSeconds(5)) is not { Assignment: { } assignment })
                {
                    await Task.Delay(_quick, _stop.Token);
                    continue;
                }

                PlanDocument plan = PlanDocument.FromBytes(assignment.Plan.Memory);
                await Task.Delay(training, _stop.Token);
                StubUpdate update = StubUpdate.For(device.Id, plan);
                byte[] payload = update.ToPayload();
                SubmitHeader header = update.HeaderFor(payload);
                header.Costs = new ClientCosts { ComputeSeconds = training.TotalSeconds, DownloadSeconds = 0.001, PeakMemoryBytes = 40 << 20 };
                await device.SubmitAsync(header, payload);
            }
            catch (RpcException) when (!_stop.IsCancellationRequested)
            {
                // The job was cancelled under it, or is paused; it checks in again.
            }
        }
    }
}
