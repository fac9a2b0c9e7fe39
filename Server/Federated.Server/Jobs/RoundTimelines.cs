using System.Buffers;
using System.Text.Json;
using Federated.Server.Collection;
using Federated.Server.Rounds;
using Federated.Server.Storage;

namespace Federated.Server.Jobs;

/// <summary>
/// Keeps the timelines of a job's last <see cref="KeptRounds"/> rounds beside their records, a JSON blob each. Statistics never stop a round: what
/// cannot be written is logged and left out.
/// </summary>
internal sealed partial class RoundTimelines(IBlobStore blobs, TimelineRecorder recorder, ILogger<RoundTimelines> logger)
{
    /// <summary>Rounds of a job whose timelines are kept. At 1,000 devices a round has about 350 kB.</summary>
    public const int KeptRounds = 200;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string JobId, long Round), Task> _lastWriters = [];

    /// <summary>The round whose timeline has become too old with the last one; null when there is none.</summary>
    /// <param name="records">The job's rounds, in order.</param>
    public static long? Outdated(IReadOnlyList<RoundRecord> records) => records.Count > KeptRounds ? records[^(KeptRounds + 1)].Round : null;

    /// <summary>Closes the round's timeline, writes it and deletes the one that has become too old.</summary>
    /// <param name="record">The round's.</param>
    /// <param name="dropReasons">Why devices gave up or were given up.</param>
    /// <param name="outdated">The round whose timeline is too old now; null when there is none.</param>
    /// <param name="ct">Gives up.</param>
    public async Task CloseAsync(RoundRecord record, IReadOnlyDictionary<string, string> dropReasons, long? outdated, CancellationToken ct)
    {
        (string jobId, long round) = (record.JobId, record.Round);
        recorder.Close(jobId, round, record.Contributors, dropReasons);
        await SaveAsync(jobId, round, ct);
        if (outdated is { } old)
        {
            try
            {
                await blobs.DeleteAsync(StorageNames.RoundTimeline(jobId, old), WriteCondition.Always, ct);
            }
            catch (IOException e)
            {
                LogFailed(jobId, old, e);
            }
        }
    }

    /// <summary>
    /// Writes what is known of a round now, replacing an earlier state of it; nothing when the recorder has forgotten it. Writers of a round take turns, so that an
    /// earlier state never ends up in the place of a later one.
    /// </summary>
    public async Task SaveAsync(string jobId, long round, CancellationToken ct)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task? before;
        lock (_gate)
        {
            before = _lastWriters.GetValueOrDefault((jobId, round));
            _lastWriters[(jobId, round)] = done.Task;
        }

        try
        {
            await (before ?? Task.CompletedTask);
            await WriteAsync(jobId, round, ct);
        }
        finally
        {
            lock (_gate)
            {
                if (_lastWriters[(jobId, round)] == done.Task)
                {
                    _ = _lastWriters.Remove((jobId, round));
                }
            }

            done.SetResult();
        }
    }

    /// <summary>The round's timeline as far as it is in memory; null when nothing is.</summary>
    public RoundTimeline? Known(string jobId, long round) => recorder.Snapshot(jobId, round);

    /// <summary>A device's part in the round as far as it is in memory; null when nothing is.</summary>
    public ClientTimeline? Known(string jobId, long round, string deviceId) => recorder.Find(jobId, round, deviceId);

    /// <summary>The round's timeline, from memory or from the store; null when it is too old, or there never was one.</summary>
    public async Task<RoundTimeline?> FindAsync(string jobId, long round, CancellationToken ct) =>
        recorder.Snapshot(jobId, round) is { } known
            ? known
            : await blobs.ReadAsync(StorageNames.RoundTimeline(jobId, round), ct) is { } blob
                ? JsonSerializer.Deserialize<RoundTimeline>(blob.Content.Span, RoundRecords.Json)
                : null;

    private async Task WriteAsync(string jobId, long round, CancellationToken ct)
    {
        if (recorder.Snapshot(jobId, round) is not { Open: false } timeline)
        {
            return;
        }

        try
        {
            await blobs.WriteAsync(
                StorageNames.RoundTimeline(jobId, round),
                new ReadOnlySequence<byte>(JsonSerializer.SerializeToUtf8Bytes(timeline, RoundRecords.Json)),
                WriteCondition.Always,
                ct);
        }
        catch (IOException e)
        {
            LogFailed(jobId, round, e);
        }
    }

    [LoggerMessage(35, LogLevel.Warning, "The timeline of job {Job} round {Round} could not be kept")]
    private partial void LogFailed(string job, long round, Exception exception);
}
