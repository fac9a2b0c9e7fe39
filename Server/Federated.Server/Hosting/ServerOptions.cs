using System.ComponentModel.DataAnnotations;
using System.Net;
using Federated.Server.Collection;
using Federated.Server.Storage;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.Hosting;

/// <summary>How a server process runs.</summary>
public sealed class ServerOptions
{
    /// <summary>Address both ports listen on. Default loopback: devices are not authenticated yet, see docs/SECURITY.md.</summary>
    public IPAddress Address { get; set; } = IPAddress.Loopback;

    /// <summary>Port of the device protocol (gRPC over HTTP/2 without TLS); 0 takes a free one.</summary>
    [Range(0, 65535)]
    public int GrpcPort { get; set; } = 5401;

    /// <summary>Port of the HTTP API; 0 takes a free one.</summary>
    [Range(0, 65535)]
    public int ApiPort { get; set; } = 5400;

    /// <summary>Threads for evaluation.</summary>
    [Range(1, 1024)]
    public int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>Where everything durable lies.</summary>
    public StorageOptions Storage { get; set; } = new();

    /// <summary>How devices wait.</summary>
    public SelectionOptions Selection { get; set; } = new();

    /// <summary>What uploads may hold in memory.</summary>
    public StagingOptions Staging { get; set; } = new();

    /// <summary>
    /// The devices that may take part in secure aggregation, with their keys. Nobody by default. Not disposed by the server.
    /// </summary>
    public IEnrolledDevices Devices { get; set; } = new EnrolledDevices();

    /// <summary>Least severe log lines that are printed.</summary>
    public LogLevel LogLevel { get; set; } = LogLevel.Information;
}

/// <summary>Threads the server may use for evaluation.</summary>
internal sealed record ServerThreads(int Count);
