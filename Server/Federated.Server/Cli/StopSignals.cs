using System.Runtime.InteropServices;

namespace Federated.Server.Cli;

/// <summary>
/// Ctrl-C and termination signals, up to the end of the process: the first asks what runs to end, further ones change nothing, so that its last lines and its exit code stay its own.
/// </summary>
internal static class StopSignals
{
    /// <summary>Exit code of what was interrupted.</summary>
    public const int InterruptedCode = 130;

    private static readonly CancellationTokenSource _stop = new();
    private static readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Kept until the process is gone: a signal that comes while it ends would kill it otherwise.
    private static readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Runs something that a signal may end.</summary>
    /// <param name="run">What runs; gives the exit code.</param>
    /// <param name="stopsWithin">How long it may take to end after a signal; then the process ends without it.</param>
    public static async Task<int> RunAsync(Func<CancellationToken, Task<int>> run, TimeSpan stopsWithin)
    {
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask));

        // Elsewhere, as some of what runs computes for long before it gives its thread back.
        Task<int> running = Task.Run(() => run(_stop.Token));
        await Task.WhenAny(running, _asked.Task);
        try
        {
            return await (running.IsCompleted ? running : running.WaitAsync(stopsWithin, TimeProvider.System));
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            return InterruptedCode;
        }
    }

    private static void Ask(PosixSignalContext signal)
    {
        signal.Cancel = true;
        _asked.TrySetResult();
        _stop.Cancel();
    }
}
