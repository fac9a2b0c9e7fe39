using Federated.Client.Transport;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Session;

/// <summary>
/// The loop of a real device: meet the server, wait as long as it asks, back off with full jitter when it is away or a round was given up.
/// </summary>
/// <param name="identity">Whose loop it is.</param>
/// <param name="session">That device's session.</param>
/// <param name="options">When to stop and how to wait.</param>
/// <param name="time">The clock of the waits.</param>
/// <param name="log">One line a round, and one a failure.</param>
/// <param name="before">Who is asked before every check-in, in this order; nobody when null.</param>
public sealed class Agent(
    ClientIdentity identity,
    ClientSession session,
    AgentOptions options,
    TimeProvider time,
    ILogger log,
    IReadOnlyList<IBeforeCheckIn>? before = null)
{
    private readonly Backoff _backoff = new(options.FirstBackoff, options.LongestBackoff, time, identity.DeviceId);

    /// <summary>Runs until the options say so.</summary>
    /// <param name="ended">Is given each report; nobody when null.</param>
    /// <param name="missed">Is told when the server could not be reached; nobody when null.</param>
    /// <param name="cancellationToken">Stops the agent; an assigned round is reported as interrupted.</param>
    /// <returns>Rounds contributed to.</returns>
    /// <exception cref="ServerLinkException">The server refuses the device for good.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<long> RunAsync(Action<SessionReport>? ended, Action? missed, CancellationToken cancellationToken)
    {
        long contributed = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            SessionReport report;
            try
            {
                if (await WaitAskedForAsync(cancellationToken).ConfigureAwait(false) is { } wait)
                {
                    await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                report = await session.RunOnceAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ServerLinkException e) when (e.Retriable)
            {
                TimeSpan pause = _backoff.Next();
                AgentLog.ServerAway(log, pause.TotalSeconds, FailureText.Of(e));
                missed?.Invoke();
                await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
                continue;
            }

            AgentLog.Write(log, report);
            ended?.Invoke(report);
            contributed += report.Result == SessionResult.Accepted ? 1 : 0;
            if (contributed == options.Rounds || (options.UntilIdle && report.Result == SessionResult.NoAssignment))
            {
                return contributed;
            }

            await PauseAsync(report, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<TimeSpan?> WaitAskedForAsync(CancellationToken cancellationToken)
    {
        foreach (IBeforeCheckIn asked in before ?? [])
        {
            if (await asked.AskAsync(cancellationToken).ConfigureAwait(false) is { } wait)
            {
                return wait;
            }
        }

        return null;
    }

    private async Task PauseAsync(SessionReport report, CancellationToken cancellationToken)
    {
        TimeSpan pause = report.RetryAfter;
        if (report.Result == SessionResult.Aborted)
        {
            // What made the device give up may make it give up again: it must not take part in round after round for nothing.
            TimeSpan backoff = _backoff.Next();
            pause = pause > backoff ? pause : backoff;
        }
        else
        {
            _backoff.Reset();
        }

        if (pause > TimeSpan.Zero)
        {
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
