using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.Client.Session;

/// <summary>
/// Is told where a session stands, and may hold it up or lose its device: how a simulator makes devices slow and unreliable. An observer
/// shared by sessions must be thread-safe.
/// </summary>
public interface ISessionObserver
{
    /// <summary>A plan was accepted; nothing has been downloaded yet.</summary>
    /// <exception cref="SimulatedLossException">The device is to vanish here.</exception>
    ValueTask AssignedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct);

    /// <summary>The update is ready; nothing has been uploaded yet.</summary>
    /// <exception cref="SimulatedLossException">The device is to vanish here.</exception>
    ValueTask TrainedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct);

    /// <summary>The device is about to answer a step of its aggregation group.</summary>
    /// <exception cref="SimulatedLossException">The device is to vanish here.</exception>
    ValueTask AnsweringAsync(ClientIdentity who, PlanDocument plan, GroupStep step, CancellationToken ct) => ValueTask.CompletedTask;

    /// <summary>The session is over, whichever way.</summary>
    ValueTask EndedAsync(ClientIdentity who, SessionReport report, CancellationToken ct);
}
