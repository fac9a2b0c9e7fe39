using Federated.Shared.Protos;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>The end, completed or aborted: nothing is left to give out.</summary>
internal sealed class FinalState(ClientStep step) : ClientState
{
    /// <inheritdoc/>
    public override ClientStep Step => step;

    /// <inheritdoc/>
    public override ClientTransition Receive(GroupServerMessage message) => throw Unexpected(message);

    /// <inheritdoc/>
    public override void Dispose()
    {
    }
}
