using Federated.Server.Api;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Server.Telemetry;
using Federated.Shared.SecureAggregation;
using Federated.Testing;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>The real server in this process, on free loopback ports, over a store that disappears with it. A class fixture too.</summary>
public sealed class RunningServer : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private FederatedServer? _server;

    /// <summary>Its HTTP API.</summary>
    public ServerApiClient Api { get; private set; } = null!;

    /// <summary>A connection to its gRPC port.</summary>
    public GrpcChannel Channel { get; private set; } = null!;

    /// <summary>Where devices connect.</summary>
    public Uri GrpcAddress => _server!.GrpcAddress;

    /// <summary>Starts one over files, or over the store given.</summary>
    public static async Task<RunningServer> StartAsync(
        StorageOptions? storage = null, int threads = 1, IEnrolledDevices? devices = null, TelemetryOptions? telemetry = null)
    {
        RunningServer server = new();
        await server.OpenAsync(storage, threads, devices, telemetry);
        return server;
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => await OpenAsync(null, 1, null, null);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Channel?.Dispose();
        Api?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }

    /// <summary>The round's record, once it has ended.</summary>
    internal Task<RoundRecord> RecordAsync(string jobId, long round) => RecordWhenAsync(jobId, round, "ended", _ => true);

    /// <summary>The round's record, once it is as described.</summary>
    internal Task<RoundRecord> RecordWhenAsync(string jobId, long round, string what, Func<RoundRecord, bool> condition) =>
        Eventually.GetAsync($"round {round} of {jobId} has {what}", async () =>
        {
            List<RoundRecord> records = await Api.RoundsAsync(jobId, round - 1, TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            return records.Find(record => record.Round == round && condition(record));
        });

    /// <summary>The job's status, once it has ended: within <see cref="Eventually.Deadline"/>, unless it is longer.</summary>
    internal Task<JobStatus> EndAsync(string jobId, TimeSpan? deadline = null) => EndAsync(Api, jobId, deadline);

    /// <summary>The job's status, once it has ended: within <see cref="Eventually.Deadline"/>, unless it is longer.</summary>
    internal static Task<JobStatus> EndAsync(ServerApiClient api, string jobId, TimeSpan? deadline = null) => Eventually.GetAsync(
        $"job {jobId} has ended",
        async () =>
        {
            JobStatus status = await api.GetJobAsync(jobId, TestContext.Current.CancellationToken);
            return status.State is JobState.Running or JobState.Paused ? null : status;
        },
        deadline);

    private async Task OpenAsync(StorageOptions? storage, int threads, IEnrolledDevices? devices, TelemetryOptions? telemetry)
    {
        _server = await FederatedServer.StartAsync(new ServerOptions
        {
            GrpcPort = 0,
            ApiPort = 0,
            Threads = threads,
            Storage = storage ?? new StorageOptions { Kind = StorageKind.Files, Path = _folder.Path },
            LogLevel = LogLevel.Critical,
            Telemetry = telemetry ?? new TelemetryOptions(),
            Devices = devices ?? new EnrolledDevices(),
            Selection = new SelectionOptions { Pace = new PaceOptions { MinRetry = TimeSpan.FromMilliseconds(10), MaxRetry = TimeSpan.FromMilliseconds(50) } },
        });
        Api = new ServerApiClient(_server.ApiAddress);
        Channel = GrpcChannel.ForAddress(_server.GrpcAddress);
    }
}
