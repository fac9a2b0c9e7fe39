using Federated.Shared.Protos;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>
/// Leaves the group from within a step; <see cref="SecureAggregationClient"/> turns it into the step <see cref="ClientStep.Aborted"/>.
/// </summary>
internal sealed class GroupAbortException(GroupRefusalReason reason, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public GroupRefusalReason Reason { get; } = reason;
}
