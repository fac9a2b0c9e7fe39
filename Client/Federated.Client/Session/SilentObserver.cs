using Federated.Shared.Protocol;

namespace Federated.Client.Session;

/// <summary>The observer that does nothing.</summary>
public sealed class SilentObserver : ISessionObserver
{
    /// <summary>The one instance.</summary>
    public static SilentObserver Instance { get; } = new();

    /// <inheritdoc/>
    public ValueTask AssignedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask TrainedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask EndedAsync(ClientIdentity who, SessionReport report, CancellationToken ct) => ValueTask.CompletedTask;
}
