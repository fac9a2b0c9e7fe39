using System.Text.Json;
using Federated.Server.Api;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>The server program over a store that outlives it.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly ProgramRun _run;

    private ServerProcess(ProgramRun run, Uri api, Uri grpc)
    {
        _run = run;
        ApiAddress = api;
        GrpcAddress = grpc;
        Api = new ServerApiClient(api);
    }

    /// <summary>The HTTP API.</summary>
    public Uri ApiAddress { get; }

    /// <summary>The device protocol.</summary>
    public Uri GrpcAddress { get; }

    /// <summary>Speaks to the API.</summary>
    public ServerApiClient Api { get; }

    /// <summary>What it logged.</summary>
    public string Said => _run.Said;

    /// <summary>Starts it on free ports and reads the line with which it says where it listens.</summary>
    /// <param name="store">Folder of the store.</param>
    /// <param name="more">Further arguments, which come after the ports.</param>
    public static async Task<ServerProcess> StartAsync(string store, params string[] more)
    {
        string[] ports = more.Contains("--grpc-port") ? ["--api-port", "0"] : ["--grpc-port", "0", "--api-port", "0"];
        ProgramRun run = ProgramRun.Start("Federated.Server", ["serve", "--storage", store, .. ports, "--insecure-loopback", "--json", .. more]);
        try
        {
            using JsonDocument line = JsonDocument.Parse(await run.FirstLineAsync());
            Assert.True(line.RootElement.GetProperty("processId").GetInt32() > 0);
            return new ServerProcess(
                run, new Uri(line.RootElement.GetProperty("api").GetString()!), new Uri(line.RootElement.GetProperty("grpc").GetString()!));
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>SIGTERM: it may finish what it has to.</summary>
    public void Terminate() => _run.Terminate();

    /// <summary>Its exit code, once it has ended by itself.</summary>
    public Task<int> EndAsync() => _run.EndAsync();

    /// <summary>SIGKILL.</summary>
    public Task KillAsync() => _run.KillAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _run.DisposeAsync();
    }
}
