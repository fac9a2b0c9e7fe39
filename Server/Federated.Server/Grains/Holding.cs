namespace Federated.Server.Grains;

/// <summary>Waits on behalf of a caller that may be held for a while, and no longer than the server runs: a held call would hold up the stop.</summary>
internal static class Holding
{
    /// <summary>Waits for something.</summary>
    /// <param name="awaited">What; it may go on afterwards.</param>
    /// <param name="within">How long the caller may be held.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stopping">The server stops.</param>
    /// <returns>Whether it came; false when the time was up or the server stops.</returns>
    public static async Task<bool> ArrivesAsync(this Task awaited, TimeSpan within, TimeProvider time, CancellationToken stopping)
    {
        try
        {
            await awaited.WaitAsync(within, time, stopping);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Waits until nothing is under way any more; how it ended is for whoever began it.</summary>
    /// <param name="work">What is under way now; another one may begin as soon as one has ended.</param>
    public static async Task EndedAsync(Func<Task> work)
    {
        while (work() is { IsCompleted: false } open)
        {
            await open.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }
}
