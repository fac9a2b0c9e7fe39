namespace Federated.Server.Hosting;

/// <summary>Where the started server listens.</summary>
internal sealed class ServerAddresses
{
    /// <summary>The HTTP API.</summary>
    public Uri Api { get; set; } = new("http://localhost/");

    /// <summary>The device protocol.</summary>
    public Uri Grpc { get; set; } = new("http://localhost/");
}
