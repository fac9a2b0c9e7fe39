using Federated.Training;

namespace Federated.Client.Session;

/// <summary>Holds a round up, or ends it, when the device has to do without it. One round at a time.</summary>
internal interface IRoundPacing
{
    /// <summary>A round begins; it ends when what is returned is disposed.</summary>
    IDisposable Begin();

    /// <summary>Whether <see cref="PassAsync"/> would return at once.</summary>
    bool IsOpen { get; }

    /// <summary>Waits until the device may go on.</summary>
    /// <exception cref="RoundAbortException">The round is to be given up.</exception>
    ValueTask PassAsync(CancellationToken cancellationToken);

    /// <summary>A view of the workspace whose steps wait and are paced; it is not disposed.</summary>
    IModelWorkspace Pace(IModelWorkspace workspace, CancellationToken cancellationToken);
}
