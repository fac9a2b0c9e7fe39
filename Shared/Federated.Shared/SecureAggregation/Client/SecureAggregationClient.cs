using Federated.Shared.Protos;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>
/// The client half of secure aggregation: Bonawitz, Ivanov, Kreuter, Marcedone, McMahan, Patel, Ramage, Segal and Seth, "Practical secure
/// aggregation for privacy-preserving machine learning" (CCS 2017, eprint 2017/281), figure 4, the variant for active adversaries.
/// Deviations: seeds are committed to (<see cref="SeedCommitment"/>); masks depend on the model trained (<see
/// cref="KeySchedule.PairMask"/>); the server forwards no more signatures than the threshold needs; neighbours may be fewer than all (<see
/// cref="HararyParameters"/>). Messages in, messages out; it knows no network and no clock, and draws keys, seed and shares from the
/// operating system's generator. One object serves one group once. Not thread-safe.
/// </summary>
public sealed class SecureAggregationClient : IDisposable
{
    private ClientState _state;

    /// <summary>A client that waits for its invitation.</summary>
    public SecureAggregationClient(ClientTerms terms, ClientInput input)
    {
        ArgumentNullException.ThrowIfNull(terms);
        ArgumentNullException.ThrowIfNull(input);
        _state = new AwaitingInvitationState(terms, input);
    }

    /// <summary>Where it stands.</summary>
    public ClientStep Step => _state.Step;

    /// <summary>Why it left the group, or null.</summary>
    public GroupRefusal? Refusal { get; private set; }

    /// <summary>
    /// Takes a message and gives the answer. A message that breaks the protocol in any way ends the client's part for good: the answer is
    /// then the refusal, and all secrets are cleared. After the end, every message is answered with a refusal, and no secret is left to be
    /// asked for.
    /// </summary>
    public GroupClientMessage Receive(GroupServerMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        try
        {
            ClientTransition transition = _state.Receive(message);
            _state = transition.Next;
            return transition.Answer;
        }
        catch (GroupAbortException e)
        {
            GroupRefusal refusal = new() { Reason = e.Reason, Detail = e.Message };
            Refusal = _state is FinalState ? Refusal : refusal;
            Dispose();
            return new GroupClientMessage { SessionId = message.SessionId, Refusal = refusal };
        }
        catch
        {
            // A defect; the secrets do not outlive it.
            Dispose();
            throw;
        }
    }

    /// <summary>Leaves the group without a word and clears all secrets.</summary>
    public void Dispose()
    {
        _state.Dispose();
        _state = _state is FinalState ? _state : new FinalState(ClientStep.Aborted);
    }
}
