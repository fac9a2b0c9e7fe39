namespace Federated.Client.Session;

/// <summary>What an agent does, and whom it asks, before every check-in. One call at a time.</summary>
public interface IBeforeCheckIn
{
    /// <summary>Null when the device may check in; otherwise how long to wait before asking again.</summary>
    /// <exception cref="Transport.ServerLinkException">The device cannot go on; a retriable one is tried again after a backoff.</exception>
    ValueTask<TimeSpan?> AskAsync(CancellationToken cancellationToken);
}
