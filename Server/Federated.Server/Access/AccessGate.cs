using System.Net;
using Federated.Server.Hosting;

namespace Federated.Server.Access;

/// <summary>Whether this server's HTTP port demands access.</summary>
/// <param name="IsOpen">Whether whoever is on this machine is an operator.</param>
/// <param name="HasProvider">Whether people can log in at an identity provider.</param>
internal sealed record AccessGate(bool IsOpen, bool HasProvider)
{
    /// <summary>What the options come to.</summary>
    /// <exception cref="RefusedOptionsException">The port reaches beyond loopback, by itself or by way of a proxy, and access is not to be demanded; or its public address is none.</exception>
    public static AccessGate Of(ServerOptions options)
    {
        AccessOptions access = options.Access;
        if (options.ApiPublicAddress is { } address)
        {
            PublicAddress.Check(address);
        }

        bool loopback = IPAddress.IsLoopback(options.ApiAddress) && options.ApiPublicAddress is null;
        bool configured = access.OperatorToken is not null || access.ViewerToken is not null || access.OpenIdConnect is not null;
        bool demanded = access.Demanded ?? (!loopback || configured);
        return demanded || loopback
            ? new AccessGate(!demanded, access.OpenIdConnect is not null)
            : throw new RefusedOptionsException(
                $"The HTTP port answers at {options.ApiPublicAddress?.ToString() ?? options.ApiAddress.ToString()}, which reaches beyond this machine, and access is not demanded. Demand it, or listen on 127.0.0.1 alone.");
    }
}

/// <summary>Marks a connection to the HTTP port; connections of devices lack it.</summary>
internal sealed class HttpPortConnection;
