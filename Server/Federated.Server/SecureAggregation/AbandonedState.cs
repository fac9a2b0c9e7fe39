using Federated.Shared.Protos;

namespace Federated.Server.SecureAggregation;

/// <summary>The end without a sum.</summary>
internal sealed class AbandonedState(string reason) : ServerState
{
    /// <inheritdoc/>
    public override ServerStep Step => ServerStep.Abandoned;

    /// <inheritdoc/>
    public override bool IsComplete => true;

    /// <summary>Why.</summary>
    public string Reason => reason;

    /// <inheritdoc/>
    public override MemberReply Receive(string deviceId, GroupClientMessage message) => new(MemberOutcome.Unexpected, $"The group was abandoned: {reason}");

    /// <inheritdoc/>
    public override ServerTransition Close() => ServerTransition.Silent(this);
}
