using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Simulator.Reports;

namespace Federated.Simulator.Runs;

/// <summary>Follows a job's rounds by long poll, writes them down and shows them. Not thread-safe.</summary>
internal sealed class RoundFollower(SimulationServer server, string jobId, string logPath, IRunView view, RunClock clock, RunJournal? journal, TimeProvider time)
{
    private static readonly TimeSpan _longPoll = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _settlingStep = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _reconnecting = TimeSpan.FromSeconds(1);

    // A server elsewhere may be restarted; its job goes on from the last committed state. One in this process comes back after the
    // machine slept or had no processor time left for it.
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    private readonly List<RoundRecord> _rounds = [];

    /// <summary>The last round that an earlier process of the run saw end; those before it are written down and not shown. 0 for none.</summary>
    public long ContinuedAt { get; init; }

    /// <summary>The rounds that ended, in order.</summary>
    public IReadOnlyList<RoundRecord> Rounds => _rounds;

    /// <summary>The job as last seen; null before that.</summary>
    public JobStatus? Job { get; private set; }

    /// <summary>Follows until the job has ended.</summary>
    /// <param name="progress">An empty one.</param>
    /// <param name="cancellationToken">Stops following; the job goes on.</param>
    /// <exception cref="ServerApiException">The server refuses, or fails for five minutes.</exception>
    /// <exception cref="IOException">The run's files cannot be written, or for a minute the store of its own server.</exception>
    public async Task<JobStatus> FollowAsync(RunProgress progress, CancellationToken cancellationToken)
    {
        await using StreamWriter log = RoundLog.Create(logPath);
        long? failingSince = null;
        while (true)
        {
            try
            {
                if (journal is not null)
                {
                    await journal.WriteAsync();
                }

                // Asked before the rounds: a job that had ended then has no further round afterwards.
                JobStatus job = await server.Api.GetJobAsync(jobId, cancellationToken);
                bool ended = job.State is not (JobState.Running or JobState.Paused);
                IReadOnlyList<RoundRecord> news = await server.Api.RoundsAsync(
                    jobId, _rounds.Count == 0 ? 0 : _rounds[^1].Round, ended ? TimeSpan.Zero : _longPoll, cancellationToken);
                foreach (RoundRecord round in news)
                {
                    _rounds.Add(round);
                    server.Store?.RoundEnded(round);
                    await log.WriteLineAsync(RoundLog.ToLine(round));
                    progress = progress.After(round, clock.Elapsed);
                    if (round.Round >= ContinuedAt)
                    {
                        view.RoundEnded(progress);
                    }
                }

                Job = job;
                failingSince = null;
                if (ended)
                {
                    return job;
                }

                if (server.Store is { } store)
                {
                    await store.DemandWritableAsync(job.DenseAdapterBytes);
                }
            }
            catch (ServerApiException e) when (e.IsTransient)
            {
                // Counted from the first failure, not from the last success: between the two the machine may have slept.
                failingSince ??= time.GetTimestamp();
                if (time.GetElapsedTime(failingSince.Value) >= _patience)
                {
                    throw;
                }

                await Task.Delay(_reconnecting, time, cancellationToken);
            }
        }
    }

    /// <summary>Takes the records anew until they stand still, because stragglers are counted after their round's end, and rewrites the log.</summary>
    public async Task SettleAsync()
    {
        long began = time.GetTimestamp();
        string before = "";
        while (time.GetElapsedTime(began) < _settling)
        {
            IReadOnlyList<RoundRecord> rounds = await server.Api.RoundsAsync(jobId, 0, TimeSpan.Zero, CancellationToken.None);
            Job = await server.Api.GetJobAsync(jobId, CancellationToken.None);
            _rounds.Clear();
            _rounds.AddRange(rounds);
            string now = string.Concat(rounds.Select(RoundLog.ToLine));
            if (now == before)
            {
                break;
            }

            before = now;
            await Task.Delay(_settlingStep, time, CancellationToken.None);
        }

        await RoundLog.RewriteAsync(logPath, _rounds, CancellationToken.None);
    }
}
