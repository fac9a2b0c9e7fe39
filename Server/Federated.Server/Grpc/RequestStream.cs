using Grpc.Core;

namespace Federated.Server.Grpc;

/// <summary>The messages of a call, and whether reading them broke: what the store fails with looks like a failure of the connection.</summary>
/// <param name="messages">The messages.</param>
internal sealed class RequestStream<T>(IAsyncStreamReader<T> messages) : IAsyncStreamReader<T>
{
    /// <summary>Whether the connection failed while a message was being read.</summary>
    public bool HasBroken { get; private set; }

    /// <inheritdoc/>
    public T Current => messages.Current;

    /// <inheritdoc/>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        try
        {
            return await messages.MoveNext(cancellationToken);
        }
        catch (IOException)
        {
            HasBroken = true;
            throw;
        }
    }
}
