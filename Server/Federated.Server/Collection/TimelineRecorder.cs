using System.Diagnostics.CodeAnalysis;
using Federated.Server.Rounds;

namespace Federated.Server.Collection;

/// <summary>What a device reports of its round beside the update.</summary>
/// <param name="DownloadSeconds">Time it downloaded.</param>
/// <param name="ComputeSeconds">Time it trained.</param>
/// <param name="PeakMemoryBytes">Its peak memory.</param>
/// <param name="EncodeSeconds">Time it encoded the update.</param>
internal readonly record struct ReportedCosts(double DownloadSeconds, double ComputeSeconds, long PeakMemoryBytes, double EncodeSeconds = 0);

/// <summary>
/// Collects the timelines of the rounds under way, and of those just over, from what the edge sees. In memory,
/// <see cref="KeptRounds"/> rounds of all jobs, or the open ones if they are more; only devices that were assigned have an entry, so that strangers cannot fill it. Thread-safe.
/// </summary>
internal sealed class TimelineRecorder(TimeProvider time, bool enabled = true)
{
    /// <summary>Rounds remembered; the oldest that is over is forgotten first, and none that is open.</summary>
    public const int KeptRounds = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string JobId, long Round), OpenTimeline> _rounds = [];
    private readonly List<(string JobId, long Round)> _order = [];

    /// <summary>The instant to give to <see cref="Assigned"/> when a check-in arrives.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>A check-in is answered with an assignment. A repeated one changes nothing.</summary>
    public void Assigned(string jobId, long round, string deviceId, DateTimeOffset checkedInAt)
    {
        if (!enabled)
        {
            return;
        }

        lock (_gate)
        {
            if (!_rounds.TryGetValue((jobId, round), out OpenTimeline? timeline))
            {
                CloseBefore(jobId, round);
                Forget();
                _rounds[(jobId, round)] = timeline = new OpenTimeline();
                _order.Add((jobId, round));
            }

            timeline.Clients.TryAdd(
                deviceId, new ClientTimeline { DeviceId = deviceId, CheckedInAt = checkedInAt, AssignedAt = Now });
        }
    }

    /// <summary>A submission begins.</summary>
    public void UploadStarted(string jobId, long round, string deviceId, ReportedCosts costs)
    {
        lock (_gate)
        {
            // A device whose update is in the sum may try again; that is no part of the round any more.
            if (Find(jobId, round, deviceId, out OpenTimeline? timeline, out ClientTimeline? client) && client.Outcome != ClientOutcome.Done)
            {
                timeline.Clients[deviceId] = client with
                {
                    UploadStartedAt = Now,
                    DownloadSeconds = Possible(costs.DownloadSeconds),
                    ComputeSeconds = Possible(costs.ComputeSeconds),
                    EncodeSeconds = Possible(costs.EncodeSeconds),
                    PeakMemoryBytes = costs.PeakMemoryBytes,
                };
            }
        }
    }

    /// <summary>A submission is answered.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="round">The round.</param>
    /// <param name="deviceId">The device.</param>
    /// <param name="ended">Done or late; null when the submission was refused and the device may try again.</param>
    /// <param name="refusal">Name of the outcome; empty when it was accepted.</param>
    public void Answered(string jobId, long round, string deviceId, ClientOutcome? ended, string refusal) => Change(
        jobId,
        round,
        deviceId,
        client => client with
        {
            Outcome = ended ?? client.Outcome,
            Reason = ended is null ? client.Reason : "",
            EndedAt = ended is null ? client.EndedAt : Now,
            LastRefusal = refusal.Length > 0 ? refusal : client.LastRefusal,
        });

    /// <summary>A device gives up.</summary>
    public void Dropped(string jobId, long round, string deviceId, string reason) => Change(
        jobId,
        round,
        deviceId,
        client => client.Outcome == ClientOutcome.Working ? client with { Outcome = ClientOutcome.Dropped, EndedAt = Now, Reason = reason } : client);

    /// <summary>
    /// The round is over. Who still works was dropped where the round says why, as at its deadline, and is missing where the round had closed without it; unless its update is in the
    /// sum: a round may close before the last device has been answered.
    /// </summary>
    public void Close(string jobId, long round, IEnumerable<string> contributors, IReadOnlyDictionary<string, string> dropReasons)
    {
        lock (_gate)
        {
            if (_rounds.TryGetValue((jobId, round), out OpenTimeline? timeline))
            {
                Close(timeline, contributors, dropReasons);
            }
        }
    }

    /// <summary>What is known of a device in a round; null when nothing is.</summary>
    public ClientTimeline? Find(string jobId, long round, string deviceId)
    {
        lock (_gate)
        {
            return Find(jobId, round, deviceId, out _, out ClientTimeline? client) ? client : null;
        }
    }

    /// <summary>Whether the round is known and runs.</summary>
    public bool IsOpen(string jobId, long round)
    {
        lock (_gate)
        {
            return _rounds.TryGetValue((jobId, round), out OpenTimeline? timeline) && timeline.Open;
        }
    }

    /// <summary>The round as far as it is known; null when nothing is remembered of it.</summary>
    public RoundTimeline? Snapshot(string jobId, long round)
    {
        lock (_gate)
        {
            return _rounds.TryGetValue((jobId, round), out OpenTimeline? timeline)
                ? new RoundTimeline(jobId, round, timeline.Open, [.. timeline.Clients.Values])
                : null;
        }
    }

    /// <summary>The devices that open rounds wait for.</summary>
    public HashSet<string> Working()
    {
        HashSet<string> devices = new(StringComparer.Ordinal);
        lock (_gate)
        {
            foreach (OpenTimeline timeline in _rounds.Values.Where(timeline => timeline.Open))
            {
                devices.UnionWith(timeline.Clients.Values.Where(client => client.Outcome == ClientOutcome.Working).Select(client => client.DeviceId));
            }
        }

        return devices;
    }

    /// <summary>How far the devices of every open round are.</summary>
    public IReadOnlyList<RoundProgress> OpenRounds()
    {
        lock (_gate)
        {
            return [.. _rounds.Where(round => round.Value.Open).Select(round => ProgressOf(round.Key.JobId, round.Key.Round, round.Value))];
        }
    }

    private static RoundProgress ProgressOf(string jobId, long round, OpenTimeline timeline)
    {
        int uploading = 0;
        Span<int> outcomes = stackalloc int[5];
        foreach (ClientTimeline client in timeline.Clients.Values)
        {
            outcomes[(int)client.Outcome]++;
            uploading += client is { Outcome: ClientOutcome.Working, UploadStartedAt: not null } ? 1 : 0;
        }

        return new RoundProgress(
            jobId,
            round,
            outcomes[(int)ClientOutcome.Working] - uploading,
            uploading,
            outcomes[(int)ClientOutcome.Done],
            outcomes[(int)ClientOutcome.Late],
            outcomes[(int)ClientOutcome.Dropped]);
    }

    // Nothing but a number of seconds is kept, whatever a device claims.
    private static double Possible(double seconds) => double.IsFinite(seconds) && seconds > 0 ? seconds : 0;

    private void Change(string jobId, long round, string deviceId, Func<ClientTimeline, ClientTimeline> change)
    {
        lock (_gate)
        {
            if (Find(jobId, round, deviceId, out OpenTimeline? timeline, out ClientTimeline? client) && client.Outcome != ClientOutcome.Done)
            {
                timeline.Clients[deviceId] = change(client);
            }
        }
    }

    private bool Find(
        string jobId, long round, string deviceId, [NotNullWhen(true)] out OpenTimeline? timeline, [NotNullWhen(true)] out ClientTimeline? client)
    {
        client = null;
        return _rounds.TryGetValue((jobId, round), out timeline) && timeline.Clients.TryGetValue(deviceId, out client);
    }

    private void Close(OpenTimeline timeline, IEnumerable<string> contributors, IReadOnlyDictionary<string, string> dropReasons)
    {
        timeline.Open = false;
        HashSet<string> done = new(contributors, StringComparer.Ordinal);
        foreach (ClientTimeline client in timeline.Clients.Values.Where(client => client.Outcome == ClientOutcome.Working).ToArray())
        {
            string reason = done.Contains(client.DeviceId) ? "" : dropReasons.GetValueOrDefault(client.DeviceId, "");
            ClientOutcome outcome = done.Contains(client.DeviceId) ? ClientOutcome.Done : reason.Length > 0 ? ClientOutcome.Dropped : ClientOutcome.Missing;
            timeline.Clients[client.DeviceId] = client with { Outcome = outcome, EndedAt = Now, Reason = reason };
        }
    }

    // A job has one round at a time: an earlier one that nobody closed is over as well, and may be forgotten.
    private void CloseBefore(string jobId, long round)
    {
        foreach (((string job, long number), OpenTimeline timeline) in _rounds)
        {
            if (timeline.Open && job == jobId && number < round)
            {
                Close(timeline, [], new Dictionary<string, string>());
            }
        }
    }

    private void Forget()
    {
        while (_order.Count >= KeptRounds && _order.FindIndex(round => !_rounds[round].Open) is >= 0 and int oldest)
        {
            _rounds.Remove(_order[oldest]);
            _order.RemoveAt(oldest);
        }
    }

    private sealed class OpenTimeline
    {
        public SortedDictionary<string, ClientTimeline> Clients { get; } = new(StringComparer.Ordinal);

        public bool Open { get; set; } = true;
    }
}
