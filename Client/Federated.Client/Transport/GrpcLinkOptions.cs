namespace Federated.Client.Transport;

/// <summary>How a client's connection to its server behaves.</summary>
public sealed record GrpcLinkOptions
{
    /// <summary>
    /// HTTP/2 window a stream begins with, in bytes: 65,535 to 16 MiB. The default of 1 MiB lets a download fill a fast network at once
    /// instead of growing into it; a link of few connections and many streams holds up to this much a stream in memory.
    /// </summary>
    public int InitialStreamWindowBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// Whether a further connection is opened when one carries as many calls as the server allows. True by default: a
    /// held check-in occupies a call.
    /// </summary>
    public bool MultipleConnections { get; init; } = true;

    /// <summary>Longest wait for a connection. 10 s by default.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which a connection with calls on it is probed. 20 s by default.</summary>
    public TimeSpan KeepAliveDelay { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a probe may go unanswered before the connection counts as broken. 10 s by default.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most bytes of content a second, up and down together; 0, the default, for no limit. Windows are small then, so that the server sends no faster either.</summary>
    public long MaxBytesPerSecond { get; init; }

    /// <summary>Whom the link believes and as whom it shows up; null leaves an https address to the certificates that the system trusts.</summary>
    public LinkSecurity? Security { get; init; }

    /// <summary>
    /// The clock of <see cref="MaxBytesPerSecond"/>, and of how long the server's store is left alone after it failed. The system's by default. Deadlines of calls are by
    /// the system's always.
    /// </summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
