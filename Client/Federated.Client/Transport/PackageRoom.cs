using Federated.Client.Session;

namespace Federated.Client.Transport;

/// <summary>Before every check-in packages leave the disk that has too little room, so that they do not keep the device away by its own policy.</summary>
/// <param name="models">Holds the packages.</param>
internal sealed class PackageRoom(ModelCache models) : IBeforeCheckIn
{
    /// <inheritdoc/>
    public ValueTask<TimeSpan?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            models.KeepFree();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The policy tells what is wrong, and looks again.
        }

        return ValueTask.FromResult<TimeSpan?>(null);
    }
}
