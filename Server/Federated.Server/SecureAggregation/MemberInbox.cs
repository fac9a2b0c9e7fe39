using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// Who of the expected members has answered a step. The checks that every step has in common: the sender is expected, the session is this
/// one, and the first answer stands.
/// </summary>
internal sealed class MemberInbox(GroupRoll roll, IEnumerable<int> expected)
{
    private readonly HashSet<int> _expected = [.. expected];
    private readonly SortedSet<int> _answered = [];
    private readonly HashSet<int> _left = [];

    /// <summary>Those who have answered.</summary>
    public MemberSet Answered => MemberSet.Of(_answered, roll.Members.Length);

    /// <summary>Whether everyone expected has answered or left.</summary>
    public bool IsComplete => _answered.Count + _left.Count >= _expected.Count;

    /// <summary>Counts a member as having answered.</summary>
    public void Add(int member) => _answered.Add(member);

    /// <summary>
    /// Screens a message and hands its body to <paramref name="take"/>, which says whether it counts.
    /// </summary>
    public MemberReply Take<T>(string deviceId, GroupClientMessage message, T? body, Func<int, T, MemberReply> take)
        where T : class
    {
        int member = roll.NumberOf(deviceId);
        if (!_expected.Contains(member) || _left.Contains(member))
        {
            return new MemberReply(MemberOutcome.Unexpected, $"Device {deviceId} is not expected to answer this step.");
        }

        if (!roll.Session.Matches(message.SessionId.Span))
        {
            return new MemberReply(MemberOutcome.WrongSession, $"Device {deviceId} sent a {message.StepCase} message of another session.");
        }

        if (_answered.Contains(member))
        {
            return new MemberReply(MemberOutcome.Duplicate, $"Device {deviceId} has answered this step already.");
        }

        if (message.Refusal is { } refusal)
        {
            _left.Add(member);
            return new MemberReply(MemberOutcome.Left, $"Device {deviceId} left the group: {refusal.Detail}");
        }

        if (body is null)
        {
            return new MemberReply(MemberOutcome.Unexpected, $"Device {deviceId} sent a {message.StepCase} message out of turn.");
        }

        MemberReply reply = take(member, body);
        if (reply.Outcome == MemberOutcome.Accepted)
        {
            _answered.Add(member);
        }

        return reply;
    }
}
