using Federated.Shared.Protos;

namespace Federated.Server.SecureAggregation;

/// <summary>One state of a group on the server: takes members' messages until the host closes the step.</summary>
internal abstract class ServerState
{
    /// <summary>Where the group stands.</summary>
    public abstract ServerStep Step { get; }

    /// <summary>Whether everyone who could answer has answered or left, so that waiting is pointless.</summary>
    public abstract bool IsComplete { get; }

    /// <summary>Takes a message.</summary>
    public abstract MemberReply Receive(string deviceId, GroupClientMessage message);

    /// <summary>Ends the step with whoever has answered.</summary>
    public abstract ServerTransition Close();
}
