using System.ComponentModel.DataAnnotations;
using System.Net;
using Federated.Server.Access;
using Federated.Server.Collection;
using Federated.Server.Identity;
using Federated.Server.Storage;
using Federated.Server.Telemetry;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.Hosting;

/// <summary>How a server process runs.</summary>
public sealed class ServerOptions
{
    internal const int MaxThreads = 1024;

    /// <summary>Address that the port for devices listens on. Default loopback.</summary>
    public IPAddress Address { get; set; } = IPAddress.Loopback;

    /// <summary>Address that the HTTP API and the dashboard listen on. Default loopback.</summary>
    public IPAddress ApiAddress { get; set; } = IPAddress.Loopback;

    /// <summary>Certificate of the HTTP port, which speaks HTTPS alone then; null for HTTP.</summary>
    public ApiCertificateFiles? ApiCertificate { get; set; }

    /// <summary>
    /// Where people reach the HTTP port by way of a proxy that ends TLS: https, host and port, without a path. Every request then counts as one to this address, and access is demanded;
    /// null when the port is reached directly.
    /// </summary>
    public Uri? ApiPublicAddress { get; set; }

    /// <summary>Who may use the HTTP API and the dashboard.</summary>
    public AccessOptions Access { get; set; } = new();

    /// <summary>How devices are told apart, and whether they connect over TLS.</summary>
    public IdentityOptions Identity { get; set; } = new();

    /// <summary>Port of the device protocol (gRPC over HTTP/2); 0 takes a free one.</summary>
    [Range(0, 65535)]
    public int GrpcPort { get; set; } = 5401;

    /// <summary>Port of the HTTP API; 0 takes a free one.</summary>
    [Range(0, 65535)]
    public int ApiPort { get; set; } = 5400;

    /// <summary>Threads for evaluation.</summary>
    [Range(1, MaxThreads)]
    public int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>Where everything durable lies.</summary>
    public StorageOptions Storage { get; set; } = new();

    /// <summary>How devices wait.</summary>
    public SelectionOptions Selection { get; set; } = new();

    /// <summary>What uploads may hold in memory.</summary>
    public StagingOptions Staging { get; set; } = new();

    /// <summary>
    /// The devices that may take part in secure aggregation, with their keys. When null, those in the registry, which are none without enrollment.
    /// Not disposed by the server.
    /// </summary>
    public IEnrolledDevices? Devices { get; set; }

    /// <summary>The clock of everything durable: ends of tokens and certificates, times in records. Default the system's.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>
    /// Whether timelines of devices, events and metrics are kept. Without them the API knows jobs and round records alone; measuring without them tells what they cost.
    /// </summary>
    public bool Statistics { get; set; } = true;

    /// <summary>What monitoring systems are told.</summary>
    public TelemetryOptions Telemetry { get; set; } = new();

    /// <summary>Where log lines go besides standard error; not disposed before the server.</summary>
    public IReadOnlyList<ILoggerProvider> Loggers { get; set; } = [];

    /// <summary>Least severe log lines that are printed.</summary>
    public LogLevel LogLevel { get; set; } = LogLevel.Information;
}

/// <summary>Threads the server may use for evaluation.</summary>
internal sealed record ServerThreads(int Count);
