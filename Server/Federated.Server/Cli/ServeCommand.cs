using System.Text.Json;
using Federated.Server.Hosting;
using Federated.Server.Jobs;

namespace Federated.Server.Cli;

/// <summary>Runs the server in the foreground.</summary>
internal static class ServeCommand
{
    /// <summary>Starts, says where it listens, and waits for Ctrl-C or a termination signal.</summary>
    /// <exception cref="OperationCanceledException">The signal came before the server was up; a line of standard error has said so.</exception>
    public static async Task<int> RunAsync(ServerOptions options, bool json, CancellationToken ct)
    {
        options.LogLevel = json ? LogLevel.Warning : LogLevel.Information;
        await using FederatedServer server = await StartAsync(options, ct);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(
                new { api = server.ApiAddress, grpc = server.GrpcAddress, processId = Environment.ProcessId, firstOperatorToken = server.FirstOperatorToken }, RoundRecords.Json));
        }
        else
        {
            string store = options.Storage.Kind == Storage.StorageKind.Files ? options.Storage.Path : $"container {options.Storage.Container}";
            Console.Out.WriteLine($"Devices connect to {server.GrpcAddress}; the API answers at {server.ApiAddress}; the store is {store}.");
            if (server.FirstOperatorToken is { } token)
            {
                Console.Out.WriteLine($"The first operator's access token, shown this once: {token}");
            }

            Console.Out.WriteLine("Ctrl-C stops the server; jobs go on when it is started again.");
        }

        try
        {
            await server.WaitForShutdownAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Ctrl-C: disposal stops the server in order.
        }

        return 0;
    }

    private static async Task<FederatedServer> StartAsync(ServerOptions options, CancellationToken ct)
    {
        try
        {
            return await FederatedServer.StartAsync(options, ct);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("Stopped before the server was up.");
            throw;
        }
    }
}
