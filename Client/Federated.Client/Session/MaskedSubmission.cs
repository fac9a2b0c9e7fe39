using Federated.Client.Transport;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Federated.Shared.SecureAggregation.Client;
using Federated.Shared.Updates.Linear;

namespace Federated.Client.Session;

/// <summary>
/// Hosts <see cref="SecureAggregationClient"/>: carries its messages to the group and back until the group has its sum. Calls that fail are
/// repeated with the same answer. A group that began again is joined again with fresh keys, unless a masked input has left the device: two
/// of them with one content, under masks of two sessions, could be set against each other. Used once, by one caller.
/// </summary>
internal sealed class MaskedSubmission(
    ClientIdentity identity, PlanDocument plan, GroupMembership enrollment, MaskedRounds rounds, TransferScope scope, ISessionObserver observer)
    : IDisposable
{
    private static readonly TimeSpan _hold = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _margin = TimeSpan.FromSeconds(10);

    private readonly Dictionary<GroupStep, GroupClientMessage> _answers = [];
    private readonly HashSet<int> _attempts = [];
    private SecureAggregationClient? _client;
    private GroupStep _awaits = GroupStep.Invitation;
    private bool _inputSent;

    /// <summary>Runs the protocol to its end.</summary>
    /// <param name="fields">The update: [fields of the round]; cleared when it is masked for good.</param>
    /// <param name="upload">Uploads a masked input and gives the server's answer.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What became of the update.</returns>
    /// <exception cref="RoundAbortException">The device must give up.</exception>
    /// <exception cref="ServerLinkException">The server refuses a call for good.</exception>
    public async Task<SubmitReply> RunAsync(
        uint[] fields, Func<GroupClientMessage, CancellationToken, Task<SubmitReply>> upload, CancellationToken cancellationToken)
    {
        GroupClientMessage? answer = null;
        while (true)
        {
            GroupReply reply = await ExchangeAsync(answer, cancellationToken).ConfigureAwait(false);
            switch (reply.Standing)
            {
                case GroupStanding.Wait:
                    continue;
                case GroupStanding.Counted:
                    return new SubmitReply { Outcome = SubmitOutcome.Accepted };
                case GroupStanding.Abandoned:
                    return new SubmitReply { Outcome = SubmitOutcome.RoundAbandoned, Detail = reply.Detail };
                case GroupStanding.LeftOut:
                    return new SubmitReply { Outcome = SubmitOutcome.Late, Detail = reply.Detail };
                case GroupStanding.Restarted when !_inputSent:
                    _awaits = GroupStep.Invitation;
                    answer = null;
                    continue;
                case GroupStanding.Behind when _answers.TryGetValue(reply.Lacks, out GroupClientMessage? earlier):
                    answer = earlier;
                    _awaits = After(reply.Lacks);
                    continue;
                case GroupStanding.Message when reply.Message is { } message:
                    answer = await AnswerAsync(message, fields, cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    throw new RoundAbortException(AbortReason.Policy, $"The group cannot go on with this device ({reply.Standing}): {reply.Detail}");
            }

            if (answer.Input is not null)
            {
                rounds.Sent(plan);
                _inputSent = true;
                Array.Clear(fields);
                SubmitReply submitted = await upload(answer, cancellationToken).ConfigureAwait(false);
                if (submitted.Outcome is not (SubmitOutcome.Accepted or SubmitOutcome.Duplicate))
                {
                    return submitted;
                }

                answer = null;
            }
        }
    }

    /// <summary>Forgets all secrets.</summary>
    public void Dispose() => _client?.Dispose();

    private static GroupStep After(GroupStep step) => step switch
    {
        GroupStep.Invitation => GroupStep.Roster,
        _ => step + 1,
    };

    private static GroupStep StepOf(GroupServerMessage message) => message.StepCase switch
    {
        GroupServerMessage.StepOneofCase.Roster => GroupStep.Roster,
        GroupServerMessage.StepOneofCase.Shares => GroupStep.Shares,
        GroupServerMessage.StepOneofCase.Survivors => GroupStep.Survivors,
        GroupServerMessage.StepOneofCase.Consistency => GroupStep.Consistency,
        _ => GroupStep.Invitation,
    };

    private async Task<GroupClientMessage> AnswerAsync(GroupServerMessage message, uint[] fields, CancellationToken cancellationToken)
    {
        GroupStep step = StepOf(message);
        _awaits = After(step);
        if (step > GroupStep.Shares && _answers.TryGetValue(step, out GroupClientMessage? earlier))
        {
            // The server was started again and asks once more; the answer stands.
            return earlier;
        }

        await observer.AnsweringAsync(identity, plan, step, cancellationToken).ConfigureAwait(false);
        if (step == GroupStep.Invitation)
        {
            Join(message, fields);
        }

        SecureAggregationClient client = _client
            ?? throw new RoundAbortException(AbortReason.Policy, $"The server sent {message.StepCase} before an invitation.");

        if (message.Roster is { } roster && enrollment.Devices is IMemberDirectory directory)
        {
            await LearnAsync(directory, roster, cancellationToken).ConfigureAwait(false);
        }

        // Key agreement and masking take time.
        GroupClientMessage answer = await Task.Run(() => client.Receive(message), cancellationToken).ConfigureAwait(false);
        if (answer.Refusal is { } refusal)
        {
            throw new RoundAbortException(AbortReason.Policy, refusal.Detail);
        }

        _answers[step] = answer;
        return answer;
    }

    private async Task LearnAsync(IMemberDirectory directory, GroupRoster roster, CancellationToken cancellationToken)
    {
        // A roster that is too long, or that names no devices, is refused by the protocol; nobody is asked about it.
        string[] devices = [.. roster.Members.Take(enrollment.MaxMembers).Select(member => member.DeviceId).Where(ProtocolLimits.IsIdentifier)];
        while (true)
        {
            try
            {
                await directory.LearnAsync(devices, scope.Counter, cancellationToken).ConfigureAwait(false);
                scope.Backoff.Reset();
                return;
            }
            catch (ServerLinkException e) when (e.Retriable)
            {
                await scope.Backoff.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Begins with fresh keys. The header's number says which attempt of the plan's group it is.</summary>
    private void Join(GroupServerMessage message, uint[] fields)
    {
        int number;
        try
        {
            number = message.Invitation is { } invitation
                ? GroupHeader.FromBytes(invitation.Header.Memory).Group
                : throw new RoundAbortException(AbortReason.Policy, $"The server sent {message.StepCase} instead of an invitation.");
        }
        catch (ProtocolViolationException e)
        {
            throw new RoundAbortException(AbortReason.Policy, e.Message, e);
        }

        if ((number & ProtocolLimits.MaxGroup) != plan.Group || _inputSent || !_attempts.Add(number))
        {
            throw new RoundAbortException(
                AbortReason.Policy, $"The invitation is to group {number & ProtocolLimits.MaxGroup}, the plan says {plan.Group}; or it was answered before.");
        }

        LinearRound linear = plan.Linear!;
        ClientTerms terms = new()
        {
            DeviceId = identity.DeviceId,
            SigningKey = enrollment.SigningKey,
            Devices = enrollment.Devices,
            ServerKey = enrollment.ServerKey,
            JobId = plan.JobId,
            Round = plan.Round,
            Group = number,
            Plan = plan.Hash,
            MinMembers = enrollment.MinMembers,
            MaxMembers = enrollment.MaxMembers,
        };
        _client?.Dispose();
        _answers.Clear();

        // The adapter's bytes were hashed when they were downloaded, and hash to what the plan names.
        _client = new SecureAggregationClient(terms, new ClientInput(FieldVector.Of(fields, linear.WidthBits), plan.Adapter));
    }

    private async Task<GroupReply> ExchangeAsync(GroupClientMessage? answer, CancellationToken cancellationToken)
    {
        GroupRequest request = new()
        {
            DeviceId = identity.DeviceId,
            JobId = plan.JobId,
            Round = (ulong)plan.Round,
            Message = answer,
            Awaits = _awaits,
            MaxHoldMs = (uint)_hold.TotalMilliseconds,
        };
        while (true)
        {
            if (answer?.Unmasking is not null)
            {
                request.BytesDown = (ulong)scope.Counter.Down;
                request.BytesUp = (ulong)(scope.Counter.Up + request.CalculateSize() + ProtocolLimits.MessagePrefixBytes);
            }

            TimeSpan timeout = scope.Remaining < _hold + _margin ? scope.Remaining : _hold + _margin;
            try
            {
                GroupReply reply = await scope.Link.ExchangeAsync(request, timeout, scope.Counter, cancellationToken).ConfigureAwait(false);
                scope.Backoff.Reset();
                return reply;
            }
            catch (ServerLinkException e) when (e.Retriable)
            {
                await scope.Backoff.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
