using Federated.Shared.Protos;

namespace Federated.Client.Session;

/// <summary>The round is given up for a reason that is known.</summary>
internal sealed class RoundAbortException(AbortReason reason, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What the server is told.</summary>
    public AbortReason Reason { get; } = reason;

    /// <summary>With <see cref="AbortReason.Policy"/>: which demand of the device's own policy.</summary>
    public PolicyReason Policy { get; init; }
}
