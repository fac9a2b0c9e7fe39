using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// The server half of secure aggregation for one group: Bonawitz et al. 2017, "Practical secure aggregation for privacy-preserving machine
/// learning" (CCS 2017, eprint 2017/281), figure 4. Messages in, messages out. The host hands in what members send, closes a step when it
/// is complete or its time is over, and sends what closing gives. Members that have not answered a closed step have dropped out. One object
/// serves one group once; a group that is abandoned starts again with a new header and fresh keys. Not thread-safe.
/// </summary>
internal sealed class SecureAggregationServer
{
    private readonly ByteString _headerBytes;
    private readonly ByteString _signature;
    private ServerState _state;

    /// <summary>A group that waits for the keys of the invited devices.</summary>
    /// <exception cref="ArgumentException">The header is impossible, or more devices are invited than it allows.</exception>
    public SecureAggregationServer(GroupHeader header, DeviceSigningKey serverKey, IReadOnlyCollection<string> invited, ServerTerms terms)
    {
        if (header.Problem() is { } problem)
        {
            throw new ArgumentException($"The group header is impossible: {problem}.", nameof(header));
        }

        if (invited.Count > header.MaxMembers)
        {
            throw new ArgumentException($"{invited.Count} devices are invited, the header allows {header.MaxMembers}.", nameof(invited));
        }

        byte[] bytes = header.ToBytes();
        _headerBytes = ByteString.CopyFrom(bytes);
        _signature = ByteString.CopyFrom(serverKey.Sign(SignedStatements.Header(bytes)));
        _state = new CollectingKeysState(header, invited, terms);
    }

    private SecureAggregationServer(ServerState state)
    {
        _headerBytes = ByteString.Empty;
        _signature = ByteString.Empty;
        _state = state;
    }

    /// <summary>Where the group stands.</summary>
    public ServerStep Step => _state.Step;

    /// <summary>Whether everyone who could answer the step has answered or left.</summary>
    public bool IsStepComplete => _state.IsComplete;

    /// <summary>Whether the last step may be closed with what is there: waiting longer would change nothing.</summary>
    public bool IsStepSufficient => _state is CollectingUnmaskingState { IsSufficient: true } || _state.IsComplete;

    /// <summary>The sum; null before the end and when the group was abandoned.</summary>
    public GroupSum? Sum => (_state as FinishedState)?.Sum;

    /// <summary>Why the group was abandoned, or null.</summary>
    public string? AbandonReason => (_state as AbandonedState)?.Reason;

    /// <summary>The message that opens the group, the same for every invited device.</summary>
    public GroupServerMessage Invitation => new() { Invitation = new GroupInvitation { Header = _headerBytes, Signature = _signature } };

    /// <summary>Takes a message of a device whose identity the host has established.</summary>
    public MemberReply Receive(string deviceId, GroupClientMessage message) => _state.Receive(deviceId, message);

    /// <summary>Ends the step with whoever has answered and gives what goes to whom. After the end it changes nothing.</summary>
    public IReadOnlyDictionary<string, GroupServerMessage> CloseStep()
    {
        ServerTransition transition = _state.Close();
        _state = transition.Next;
        return transition.Messages;
    }

    /// <summary>
    /// The durable form: from R3 on, what a server that was killed goes on with. Null before R3, where nothing is worth keeping and a group
    /// starts again with fresh keys, and after the end. It holds no share and no key.
    /// </summary>
    public MaskedGroupDocument? ToDocument() => _state switch
    {
        CollectingInputsState inputs => new MaskedGroupDocument(inputs.Step, inputs.Group, null),
        CollectingSignaturesState signatures => new MaskedGroupDocument(signatures.Step, signatures.Group, null),
        CollectingUnmaskingState unmasking => new MaskedGroupDocument(unmasking.Step, unmasking.Group, unmasking.Signing),
        _ => null,
    };

    /// <summary>
    /// Goes on from a durable form. Members send their last message again, as they do after every broken connection; nothing else is asked
    /// of them.
    /// </summary>
    public static SecureAggregationServer Restore(MaskedGroupDocument document, ServerTerms terms) => new(document.Step switch
    {
        ServerStep.CollectingInputs => new CollectingInputsState(document.Group, terms),
        ServerStep.CollectingSignatures => new CollectingSignaturesState(document.Group, terms),
        _ => new CollectingUnmaskingState(document.Group, document.Signing!, terms),
    });
}
