using Grpc.Core;

namespace Federated.Client.Transport;

/// <summary>Deadlines of calls. gRPC compares them with the system's clock, so they are read from it, whatever clock the session runs on.</summary>
internal static class CallDeadline
{
    /// <summary>What a call is made with.</summary>
    /// <param name="timeout">Longest that it may take.</param>
    /// <param name="cancellationToken">Gives the call up.</param>
    public static CallOptions After(TimeSpan timeout, CancellationToken cancellationToken) =>
        new(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + timeout, cancellationToken: cancellationToken);
}
