using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Federated.Client.Identity;
using Federated.Client.Transport;
using Federated.Server.Api;
using Federated.Server.Hosting;
using Federated.Server.Identity;
using Federated.Server.Storage;
using Federated.Shared.Identity;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.EndToEnd.Tests.Enrollment;

/// <summary>The real server over TLS on free loopback ports, with a clock that can be moved on and everything it logs.</summary>
public sealed class SecureServer : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly MovableClock _clock = new();
    private readonly CapturedLog _log = new();
    private FederatedServer? _server;

    /// <summary>Its HTTP API.</summary>
    public ServerApiClient Api { get; private set; } = null!;

    /// <summary>Where devices connect.</summary>
    public Uri Address => _server!.GrpcAddress;

    /// <summary>Folder of its authority.</summary>
    public string AuthorityFolder => Path.Combine(_folder.Path, "store", "authority");

    /// <inheritdoc/>
    public ValueTask InitializeAsync() => new(StartAsync());

    /// <summary>Starts it, or starts it again over the same store.</summary>
    public async Task StartAsync()
    {
        _server = await FederatedServer.StartAsync(new ServerOptions
        {
            GrpcPort = 0,
            ApiPort = 0,
            Threads = 1,
            Storage = new StorageOptions { Kind = StorageKind.Files, Path = Path.Combine(_folder.Path, "store") },
            Identity = new IdentityOptions { InsecureLoopback = false },
            Time = _clock,
            Loggers = [_log],
            LogLevel = LogLevel.Information,
        });
        Api = new ServerApiClient(_server.ApiAddress);
    }

    /// <summary>Stops it; the store stays.</summary>
    public async Task StopAsync()
    {
        Api.Dispose();
        await _server!.DisposeAsync();
        _server = null;
    }

    /// <summary>A folder for a device's state.</summary>
    public string StateOf(string device) => Path.Combine(_folder.Path, "devices", device);

    /// <summary>The server's clock goes on by so much.</summary>
    public void MoveClock(TimeSpan by) => _clock.Offset += by;

    /// <summary>A token, for whichever device unless one is named.</summary>
    public async Task<string> TokenAsync(string? deviceId = null, string? population = "homes") =>
        (await Api.CreateTokenAsync(new TokenRequest(3600, deviceId, population, null), TestContext.Current.CancellationToken)).Token;

    /// <summary>Enrolls a device with a new token.</summary>
    internal async Task<DeviceIdentity> EnrollAsync(string device, string population = "homes")
    {
        await EnrollmentCalls.EnrollAsync(
            Address, EnrollmentToken.Parse(await TokenAsync(population: population)), device, "", StateOf(device), TestContext.Current.CancellationToken);
        return DeviceIdentity.Open(StateOf(device))!;
    }

    /// <summary>A channel that shows a certificate, or none, and believes anybody: as attackers are free to.</summary>
#pragma warning disable CA5359 // As said.
    internal GrpcChannel ChannelAs(X509Certificate2? certificate) => GrpcConnection.Open(
        Address, new GrpcLinkOptions { Security = new LinkSecurity((_, _, _, _) => true, () => certificate, TimeSpan.FromMinutes(5)) });
#pragma warning restore CA5359

    /// <summary>A check-in that is answered at once.</summary>
    internal static async Task<CheckInReply> CheckInAsync(GrpcChannel channel, string device, uint version = ProtocolLimits.Version) =>
        await new DeviceService.DeviceServiceClient(channel).CheckInAsync(
            new CheckInRequest { ProtocolVersion = version, DeviceId = device, Population = "homes", Engine = "none" },
            cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>The call is refused with the code, and the log says so in exactly one line.</summary>
    public async Task RefusesAsync(ErrorCode code, Func<Task> call)
    {
        int before = _log.Count(code.ToString());

        RpcException refusal = await Assert.ThrowsAsync<RpcException>(call);

        Assert.Equal(((int)code).ToString(), refusal.Trailers.GetValue(ErrorCatalogue.TrailerName));
        Assert.Equal(ErrorCatalogue.For(code).Status, refusal.StatusCode);
        Assert.Equal(before + 1, _log.Count(code.ToString()));
    }

    /// <summary>Lines of the log that hold the text.</summary>
    public int Logged(string text) => _log.Count(text);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await StopAsync();
        }

        _folder.Dispose();
    }

    private sealed class MovableClock : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
    }

    private sealed class CapturedLog : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public int Count(string text) => _lines.Count(line => line.Contains(text, StringComparison.Ordinal));

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
