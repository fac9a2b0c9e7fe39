using System.Collections.Concurrent;
using Federated.Server.Hosting;
using Federated.Server.Identity;
using Federated.Server.Storage;
using Federated.Testing;
using Microsoft.Extensions.Logging;

namespace Federated.EndToEnd.Tests;

/// <summary>A start of the server that is broken off.</summary>
public sealed class ServerStartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Orleans.Runtime.Silo")]
    [InlineData("Federated.Server.Hosting.JobRecovery")]
    public async Task StartAsync_BrokenOffWhileTheSiloStarts_IsCancelledAndLogsNothing(string at)
    {
        using CancellationTokenSource stop = new();
        using StopAtCategory log = new(at, stop);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FederatedServer.StartAsync(Options(log), stop.Token));

        Assert.Empty(log.Lines);
    }

    [Fact]
    public async Task StartAsync_BothPortsTheSame_IsRefusedByTheOption()
    {
        using StopAtCategory log = new("", null);
        ServerOptions options = Options(log);
        int port;
        await using (FederatedServer server = await FederatedServer.StartAsync(options, TestContext.Current.CancellationToken))
        {
            port = server.ApiAddress.Port;
        }

        (options.ApiPort, options.GrpcPort) = (port, port);
        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => FederatedServer.StartAsync(options, TestContext.Current.CancellationToken));

        Assert.Contains("give another port with --grpc-port", refused.Message, StringComparison.Ordinal);
        Assert.Empty(log.Lines);
    }

    private ServerOptions Options(ILoggerProvider log) => new()
    {
        GrpcPort = 0,
        ApiPort = 0,
        Identity = new IdentityOptions { InsecureLoopback = true },
        Storage = new StorageOptions { Kind = StorageKind.Files, Path = _folder.Path },
        LogLevel = LogLevel.Warning,
        Loggers = [log],
    };

    /// <summary>Keeps what is logged, and asks for a stop when the first logger of a category is made.</summary>
    private sealed class StopAtCategory(string category, CancellationTokenSource? stop) : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public ILogger CreateLogger(string categoryName)
        {
            if (categoryName == category)
            {
                stop?.Cancel();
            }

            return this;
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
