using Federated.Shared.Protos;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>
/// One state of a client: takes a server's message and gives the next state with the answer. A state is used once; what it holds passes on
/// to the next one or is cleared by <see cref="Dispose"/>.
/// </summary>
internal abstract class ClientState : IDisposable
{
    /// <summary>Where it stands.</summary>
    public abstract ClientStep Step { get; }

    /// <summary>Takes a message.</summary>
    /// <exception cref="GroupAbortException">The client has to leave the group.</exception>
    public abstract ClientTransition Receive(GroupServerMessage message);

    /// <summary>Clears the secrets it still holds.</summary>
    public abstract void Dispose();

    /// <summary>Demands one kind of message of one session.</summary>
    protected T Require<T>(GroupServerMessage message, T? body, SessionId session)
        where T : class
    {
        if (body is null)
        {
            throw Unexpected(message);
        }

        return session.Matches(message.SessionId.Span)
            ? body
            : throw new GroupAbortException(GroupRefusalReason.WrongSession, $"The server's {message.StepCase} message belongs to another session.");
    }

    /// <summary>A message out of turn.</summary>
    protected GroupAbortException Unexpected(GroupServerMessage message) =>
        new(GroupRefusalReason.UnexpectedMessage, $"The server sent {message.StepCase} while the client is {Step}.");
}
