using System.Diagnostics;
using System.Text.Json;

namespace Federated.Simulator.Bench;

/// <summary>
/// A server in a process of its own, so that its processor time and memory can be told from the clients'. Its store is a temporary
/// folder that is deleted with it.
/// </summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly DirectoryInfo _store;

    private ServerProcess(Process process, DirectoryInfo store, Uri api, Uri grpc)
    {
        _process = process;
        _store = store;
        ApiAddress = api;
        GrpcAddress = grpc;
    }

    /// <summary>The HTTP API.</summary>
    public Uri ApiAddress { get; }

    /// <summary>The device protocol.</summary>
    public Uri GrpcAddress { get; }

    /// <summary>User and kernel time so far.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Largest resident set so far, in bytes.</summary>
    public long PeakMemoryBytes
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    /// <summary>Starts the server that lies beside this program on free ports of the loopback interface.</summary>
    /// <param name="ct">Gives up starting.</param>
    /// <param name="more">Further arguments.</param>
    /// <exception cref="InvalidOperationException">It does not start.</exception>
    public static async Task<ServerProcess> StartAsync(CancellationToken ct, params string[] more)
    {
        string assembly = Path.Combine(AppContext.BaseDirectory, "Federated.Server.dll");
        DirectoryInfo store = Directory.CreateTempSubdirectory("federated-bench-");
        string[] arguments =
            ["exec", assembly, "serve", "--storage", store.FullName, "--grpc-port", "0", "--api-port", "0", "--insecure-loopback", "--json", .. more];
        Process process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })
            ?? throw new InvalidOperationException("The server process could not be started.");
        try
        {
            string line = await process.StandardOutput.ReadLineAsync(ct).AsTask().WaitAsync(_patience, ct)
                ?? throw new InvalidOperationException("The server process ended before it listened; its error output says why.");
            using JsonDocument addresses = JsonDocument.Parse(line);
            return new ServerProcess(
                process,
                store,
                new Uri(addresses.RootElement.GetProperty("api").GetString()!),
                new Uri(addresses.RootElement.GetProperty("grpc").GetString()!));
        }
        catch (Exception e)
        {
            process.Kill(entireProcessTree: true);
            store.Delete(recursive: true);
            if (e is TimeoutException)
            {
                throw new InvalidOperationException($"The server process did not listen within {_patience.TotalSeconds} s. Is the machine overloaded?", e);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _store.Delete(recursive: true);
    }
}
