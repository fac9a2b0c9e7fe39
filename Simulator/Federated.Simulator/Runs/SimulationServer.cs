using Federated.Server.Api;
using Federated.Server.Cli;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Shared.SecureAggregation;
using Microsoft.Extensions.Logging;

namespace Federated.Simulator.Runs;

/// <summary>The server a run talks to: its own, in this process, or one that runs elsewhere. From here on both are the same.</summary>
internal sealed class SimulationServer : IAsyncDisposable
{
    private readonly FederatedServer? _own;

    private SimulationServer(FederatedServer? own, StoreWatch? store, ServerApiClient api, Uri grpcAddress)
    {
        _own = own;
        Store = store;
        Api = api;
        GrpcAddress = grpcAddress;
    }

    /// <summary>The HTTP API.</summary>
    public ServerApiClient Api { get; }

    /// <summary>Where devices connect.</summary>
    public Uri GrpcAddress { get; }

    /// <summary>Whether the server runs in this process.</summary>
    public bool IsEmbedded => _own is not null;

    /// <summary>Sees whether the store of a server in this process can be written; null for one that runs elsewhere.</summary>
    public StoreWatch? Store { get; }

    /// <summary>Starts a server in this process on free ports.</summary>
    /// <param name="storePath">Folder of its store; of one run alone.</param>
    /// <param name="threads">Threads for evaluation.</param>
    /// <param name="devices">Devices enrolled for secure aggregation; null for none.</param>
    /// <param name="time">The clock by which a store that cannot be written is borne with.</param>
    /// <remarks>Starting takes a second or two and is not given up: a silo that is stopped while it starts complains at length.</remarks>
    public static async Task<SimulationServer> StartAsync(string storePath, int threads, IEnrolledDevices? devices, TimeProvider time)
    {
        StoreWatch store = new(storePath, time);
        ServerOptions options = new()
        {
            GrpcPort = 0,
            ApiPort = 0,
            Threads = threads,
            LogLevel = LogLevel.Error,
            Loggers = [store],
            Devices = devices ?? new EnrolledDevices(),
            Storage = new StorageOptions { Kind = StorageKind.Files, Path = storePath },

            // Simulated devices spare no battery by waiting: who was not wanted comes back at once.
            Selection = new SelectionOptions
            {
                Pace = new PaceOptions { MinRetry = TimeSpan.FromMilliseconds(10), MaxRetry = TimeSpan.FromMilliseconds(100) },
            },
        };
        FederatedServer own = await FederatedServer.StartAsync(options, CancellationToken.None);
        return new SimulationServer(own, store, new ServerApiClient(own.ApiAddress), own.GrpcAddress);
    }

    /// <summary>Attaches to a running server by the address of its HTTP API.</summary>
    /// <exception cref="ServerApiException">It cannot be reached.</exception>
    /// <exception cref="InvalidSettingsException">It takes enrolled devices alone.</exception>
    public static async Task<SimulationServer> AttachAsync(Uri address, CancellationToken cancellationToken)
    {
        ServerApiClient api = new(address, token: AccessArguments.Token());
        try
        {
            ServerDescription description = await api.DescribeAsync(cancellationToken);
            return description.GrpcAddress.Scheme == Uri.UriSchemeHttp
                ? new SimulationServer(null, null, api, description.GrpcAddress)
                : throw new InvalidSettingsException(
                    [new SettingProblem(
                        "--server",
                        $"{address}, where devices are enrolled,",
                        "a server started with --insecure-loopback: simulated devices have no identity elsewhere; or leave --server out")]);
        }
        catch
        {
            api.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        if (_own is not null)
        {
            await _own.DisposeAsync();
        }
    }
}
