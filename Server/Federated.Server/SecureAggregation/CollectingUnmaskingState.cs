using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// R5: takes the shares that unmask the sum; closing it unmasks. The shares live in memory alone and are cleared with the step.
/// </summary>
internal sealed class CollectingUnmaskingState(MaskedGroup group, MemberSet signing, ServerTerms terms) : ServerState
{
    private readonly MemberInbox _inbox = new(group.Roll, signing);
    private readonly CollectedShares _shares = new(group);

    /// <inheritdoc/>
    public override ServerStep Step => ServerStep.CollectingUnmasking;

    /// <inheritdoc/>
    public override bool IsComplete => _inbox.IsComplete;

    /// <summary>Whether every secret has t shares, so that the step may be closed although members are missing.</summary>
    public bool IsSufficient => _shares.IsSufficient;

    /// <summary>The group; U3 is final.</summary>
    public MaskedGroup Group => group;

    /// <summary>U4: those who may answer.</summary>
    public MemberSet Signing => signing;

    /// <inheritdoc/>
    public override MemberReply Receive(string deviceId, GroupClientMessage message) =>
        _inbox.Take(deviceId, message, message.Unmasking, (member, body) => _shares.TryAdd(member, body) is { } problem
            ? MemberReply.Malformed($"The shares of member {member} are refused: {problem}.")
            : MemberReply.Accepted);

    /// <inheritdoc/>
    public override ServerTransition Close()
    {
        try
        {
            (string? problem, string? wrong) = Unmasking.Remove(group, _shares, terms.Threads);
            return ServerTransition.Silent(problem is not null
                ? new AbandonedState(problem)
                : new FinishedState(new GroupSum(group.Sum, [.. group.Survivors.Select(group.Roll.DeviceOf)]) { WrongShares = wrong }));
        }
        finally
        {
            _shares.Clear();
        }
    }
}
