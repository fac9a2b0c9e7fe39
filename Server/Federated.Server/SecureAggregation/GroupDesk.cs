using Federated.Shared.Protos;
using Google.Protobuf;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// Where members of one group ask and answer: wraps <see cref="SecureAggregationServer"/> so that every call may be repeated, by a device
/// whose connection broke or after the server was started again. Says how a device stands, and remembers who has left. Pure; not
/// thread-safe.
/// </summary>
internal sealed class GroupDesk
{
    private readonly SecureAggregationServer _server;
    private readonly HashSet<string> _invited;
    private readonly HashSet<string> _advertised = new(StringComparer.Ordinal);
    private readonly HashSet<string> _gone = new(StringComparer.Ordinal);
    private IReadOnlyDictionary<string, GroupServerMessage> _outbox;
    private HashSet<string> _survivors = [];
    private ByteString _session = ByteString.Empty;
    private string? _closed;

    /// <summary>A group that waits for keys.</summary>
    public GroupDesk(SecureAggregationServer server, IReadOnlyCollection<string> invited)
    {
        _server = server;
        _invited = new HashSet<string>(invited, StringComparer.Ordinal);
        _outbox = invited.ToDictionary(device => device, _ => server.Invitation, StringComparer.Ordinal);
    }

    private GroupDesk(MaskedGroupDocument document, IReadOnlyDictionary<string, GroupServerMessage> shares, ServerTerms terms)
    {
        GroupRoll roll = document.Group.Roll;
        _server = SecureAggregationServer.Restore(document, terms);
        _invited = [.. roll.Members.Select(member => member.DeviceId)];
        _advertised = [.. _invited];
        GroupServerMessage message = roll.NewMessage();
        _session = message.SessionId;

        // The survivors are told again. The proof that follows is not durable: members sign once more.
        message.Survivors = new GroupSurvivors { Members = ByteString.CopyFrom(document.Group.Survivors.Bytes) };
        _outbox = document.Step == ServerStep.CollectingSignatures
            ? document.Group.Survivors.ToDictionary(roll.DeviceOf, _ => message, StringComparer.Ordinal)
            : shares;
        NoteSurvivors();
    }

    /// <summary>Where the group stands.</summary>
    public ServerStep Step => _closed is null ? _server.Step : ServerStep.Abandoned;

    /// <summary>Whether the group has its sum or never will.</summary>
    public bool IsOver => Step is ServerStep.Finished or ServerStep.Abandoned;

    /// <summary>Whether waiting longer changes nothing.</summary>
    public bool IsStepComplete => !IsOver && _server.IsStepComplete;

    /// <summary>Whether the step could be closed although members are missing, which may still answer.</summary>
    public bool IsStepSufficient => !IsOver && _server.IsStepSufficient;

    /// <summary>The sum, once there is one.</summary>
    public GroupSum? Sum => _closed is null ? _server.Sum : null;

    /// <summary>Why there is none, or null.</summary>
    public string? AbandonReason => _closed ?? _server.AbandonReason;

    /// <summary>Devices whose keys were taken.</summary>
    public IReadOnlyCollection<string> Advertised => _advertised;

    /// <summary>What the open step has for whom.</summary>
    public IReadOnlyDictionary<string, GroupServerMessage> Outbox => _outbox;

    /// <summary>Goes on from a durable form.</summary>
    /// <param name="document">The group.</param>
    /// <param name="shares">While inputs are collected: the sealed shares for each member.</param>
    /// <param name="terms">What the group works with.</param>
    public static GroupDesk Restore(MaskedGroupDocument document, IReadOnlyDictionary<string, GroupServerMessage> shares, ServerTerms terms) =>
        new(document, shares, terms);

    /// <summary>The durable form; see <see cref="SecureAggregationServer.ToDocument"/>.</summary>
    public MaskedGroupDocument? ToDocument() => _closed is null ? _server.ToDocument() : null;

    /// <summary>Takes a device's answer. What it has to be told at once, or null when <see cref="StandingOf"/> tells it.</summary>
    public GroupReply? Take(string device, GroupClientMessage message)
    {
        if (IsOver)
        {
            return null;
        }

        if (message.Refusal is not null)
        {
            Leave(device);
            return Reply(GroupStanding.LeftOut, "The device has left the group.");
        }

        ServerStep step = StepOf(message);
        if (step < Step)
        {
            // Sent once more because the answer to it was lost.
            return null;
        }

        if (step > Step)
        {
            return Step == ServerStep.CollectingKeys
                ? Reply(GroupStanding.Restarted, "The group has begun again; ask for its invitation.")
                : new GroupReply { Standing = GroupStanding.Behind, Detail = "The server lacks an earlier answer.", Lacks = (GroupStep)(int)Step };
        }

        MemberReply reply = _server.Receive(device, message);
        if (reply.Outcome == MemberOutcome.Accepted && step == ServerStep.CollectingKeys)
        {
            _advertised.Add(device);
        }

        return reply.Outcome switch
        {
            MemberOutcome.Accepted or MemberOutcome.Duplicate => null,
            MemberOutcome.WrongSession => Reply(GroupStanding.Restarted, reply.Detail),
            MemberOutcome.Malformed => Reply(GroupStanding.Refused, reply.Detail),
            _ => Reply(GroupStanding.LeftOut, reply.Detail),
        };
    }

    /// <summary>Takes a masked input, which does not come the way of the other answers.</summary>
    public MemberReply TakeInput(string device, GroupClientMessage message) => Step switch
    {
        ServerStep.CollectingInputs when message.Input is not null => _server.Receive(device, message),
        ServerStep.CollectingInputs => MemberReply.Malformed($"Device {device} uploaded a {message.StepCase} message, not a masked input."),
        ServerStep.Abandoned => new MemberReply(MemberOutcome.Left, $"The group was abandoned: {AbandonReason}"),
        _ => new MemberReply(MemberOutcome.Unexpected, $"The group is {Step}; it takes no masked input."),
    };

    /// <summary>What a device that waits for a step is told; null while there is nothing to tell.</summary>
    public GroupReply? StandingOf(string device, GroupStep awaits)
    {
        if (AbandonReason is { } reason)
        {
            return Reply(GroupStanding.Abandoned, reason);
        }

        if (Sum is { } sum)
        {
            return sum.Contributors.Contains(device, StringComparer.Ordinal)
                ? Reply(GroupStanding.Counted, "")
                : Reply(GroupStanding.LeftOut, "The group has its sum without this device.");
        }

        if ((int)awaits > (int)Step)
        {
            return null;
        }

        return (int)awaits == (int)Step && _outbox.TryGetValue(device, out GroupServerMessage? message)
            ? new GroupReply { Standing = GroupStanding.Message, Message = message }
            : _survivors.Contains(device)
                ? null // What it sent is in the sum, though it missed a step since; it waits to hear whether the group gets one.
                : Reply(GroupStanding.LeftOut, $"The group is {Step} and has gone on without this device.");
    }

    /// <summary>The device will not answer any more, in this step or a later one.</summary>
    public void Leave(string device)
    {
        if (_invited.Contains(device) && _gone.Add(device) && !IsOver)
        {
            TellGone(device);
        }
    }

    /// <summary>Ends the step with whoever has answered. The last one takes time: it unmasks.</summary>
    public void CloseStep()
    {
        _outbox = _server.CloseStep();
        _session = _outbox.Values.FirstOrDefault()?.SessionId ?? _session;
        NoteSurvivors();
        foreach (string device in _gone)
        {
            TellGone(device);
        }
    }

    /// <summary>Ends the group without a sum.</summary>
    public void Abandon(string reason)
    {
        if (!IsOver)
        {
            _closed = reason;
        }
    }

    /// <summary>Throws the sum away: members that follow the protocol cannot have made it.</summary>
    public void Refuse(string reason) => _closed = reason;

    // Those that are asked to sign are those whose inputs are in the sum.
    private void NoteSurvivors()
    {
        if (Step == ServerStep.CollectingSignatures)
        {
            _survivors = [.. _outbox.Keys];
        }
    }

    private static GroupReply Reply(GroupStanding standing, string detail) => new() { Standing = standing, Detail = detail };

    private static ServerStep StepOf(GroupClientMessage message) => message.StepCase switch
    {
        GroupClientMessage.StepOneofCase.Shares => ServerStep.CollectingShares,
        GroupClientMessage.StepOneofCase.Input => ServerStep.CollectingInputs,
        GroupClientMessage.StepOneofCase.Signature => ServerStep.CollectingSignatures,
        GroupClientMessage.StepOneofCase.Unmasking => ServerStep.CollectingUnmasking,
        _ => ServerStep.CollectingKeys,
    };

    private void TellGone(string device) => _server.Receive(
        device,
        new GroupClientMessage { SessionId = _session, Refusal = new GroupRefusal { Detail = "the device has given up" } });
}
