namespace Federated.Server.Identity;

/// <summary>How devices are told apart, and how they reach the server.</summary>
public sealed class IdentityOptions
{
    /// <summary>
    /// Whether devices connect in clear text and are who they say they are. Only on loopback: the simulator, and tries on one machine. The library's
    /// default; the command line's is false.
    /// </summary>
    public bool InsecureLoopback { get; set; } = true;

    /// <summary>
    /// Folder of the authority's key and certificate (<c>authority.key</c>, <c>authority.crt</c>, PEM), made when missing. Null: <c>authority</c> in the folder of the store; with
    /// a store that is no folder, <c>federated-authority</c> in the working directory. An authority of your own is used when its two files lie there.
    /// </summary>
    public string? AuthorityFolder { get; set; }

    /// <summary>How long a device's certificate holds; a device renews it after two thirds. Default 90 days.</summary>
    public TimeSpan CertificateLifetime { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long after its end a certificate can still be renewed, for devices that were switched off. Default 30 days.</summary>
    public TimeSpan RenewalGrace { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Further names or addresses that the server's certificate carries, for clients that check them.</summary>
    public IReadOnlyList<string> ServerNames { get; set; } = [];
}
