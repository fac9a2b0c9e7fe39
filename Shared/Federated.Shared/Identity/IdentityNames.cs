namespace Federated.Shared.Identity;

/// <summary>Names in certificates that both ends check.</summary>
public static class IdentityNames
{
    /// <summary>
    /// A DNS name in the server's certificate, besides the names it is reached by. A device that pins the authority looks for this one: it knows its
    /// server by an address that may change.
    /// </summary>
    public const string Server = "federated-server.internal";

    /// <summary>Extended key usage of a TLS server (RFC 5280, 4.2.1.12).</summary>
    public const string ServerUsage = "1.3.6.1.5.5.7.3.1";

    /// <summary>Extended key usage of a TLS client.</summary>
    public const string ClientUsage = "1.3.6.1.5.5.7.3.2";
}
