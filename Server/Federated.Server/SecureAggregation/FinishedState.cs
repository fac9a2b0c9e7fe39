using Federated.Shared.Protos;

namespace Federated.Server.SecureAggregation;

/// <summary>The end with a sum.</summary>
internal sealed class FinishedState(GroupSum sum) : ServerState
{
    /// <inheritdoc/>
    public override ServerStep Step => ServerStep.Finished;

    /// <inheritdoc/>
    public override bool IsComplete => true;

    /// <summary>The sum.</summary>
    public GroupSum Sum => sum;

    /// <inheritdoc/>
    public override MemberReply Receive(string deviceId, GroupClientMessage message) => new(MemberOutcome.Unexpected, "The group is finished.");

    /// <inheritdoc/>
    public override ServerTransition Close() => ServerTransition.Silent(this);
}
