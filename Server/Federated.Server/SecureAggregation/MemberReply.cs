namespace Federated.Server.SecureAggregation;

/// <summary>The answer to a member's message.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Detail">For people; empty when it was accepted.</param>
internal readonly record struct MemberReply(MemberOutcome Outcome, string Detail)
{
    /// <summary>It counts.</summary>
    public static MemberReply Accepted => new(MemberOutcome.Accepted, "");

    /// <summary>It breaks the protocol.</summary>
    public static MemberReply Malformed(string why) => new(MemberOutcome.Malformed, why);
}
