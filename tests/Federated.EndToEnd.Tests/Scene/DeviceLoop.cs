using Federated.Client.Transport;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>A device that goes on as the client program does: session after session, also when its link failed in a way that another try may cure.</summary>
internal static class DeviceLoop
{
    private static readonly TimeSpan _pauseAfterFailure = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs sessions until stopped.</summary>
    public static async Task RunAsync(Func<CancellationToken, Task> session, CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await session(stop);
                }
                catch (ServerLinkException e) when (e.Retriable)
                {
                    await Task.Delay(_pauseAfterFailure, TimeProvider.System, stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The job is over.
        }
    }
}
