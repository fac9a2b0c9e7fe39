namespace Federated.Server.SecureAggregation;

/// <summary>What became of a member's message.</summary>
internal enum MemberOutcome
{
    /// <summary>It counts.</summary>
    Accepted,

    /// <summary>The member has answered this step already; the first answer stands.</summary>
    Duplicate,

    /// <summary>It belongs to another step, or its sender is no longer part of the group.</summary>
    Unexpected,

    /// <summary>It belongs to another session.</summary>
    WrongSession,

    /// <summary>It breaks the protocol; the member counts as dropped out of this step unless it sends a good one in time.</summary>
    Malformed,

    /// <summary>The member has left the group.</summary>
    Left,
}
