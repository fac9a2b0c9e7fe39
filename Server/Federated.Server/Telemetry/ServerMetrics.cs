using System.Diagnostics.Metrics;
using Federated.Server.Collection;
using Federated.Server.Rounds;

namespace Federated.Server.Telemetry;

/// <summary>
/// The server's own instruments. Labels are jobs, phases, outcomes and states, never devices: what grows with the fleet belongs into timelines.
/// </summary>
internal sealed class ServerMetrics : IDisposable
{
    /// <summary>Name of the meter of a process's first server.</summary>
    public const string MeterName = "Federated.Server";

    /// <summary>Upper bounds of the buckets of durations, in seconds: from a simulation's milliseconds to an hour.</summary>
    public static readonly double[] SecondsBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600];

    private readonly Meter _meter;
    private readonly Counter<long> _rounds;
    private readonly Counter<long> _updates;
    private readonly Counter<long> _bytes;
    private readonly Counter<double> _cpu;
    private readonly Histogram<double> _phases;
    private readonly Histogram<double> _clientPhases;
    private readonly Gauge<double> _accuracy;
    private readonly Gauge<double> _loss;
    private readonly Gauge<double> _epsilon;
    private readonly Gauge<long> _version;

    /// <summary>Makes the instruments.</summary>
    /// <param name="census">The devices that are counted when asked.</param>
    /// <param name="meter">Name of the meter, of this server alone.</param>
    public ServerMetrics(FleetCensus census, string meter)
    {
        _meter = new Meter(meter);
        _rounds = _meter.CreateCounter<long>("federated.rounds", null, "Rounds that ended, by outcome.");
        _updates = _meter.CreateCounter<long>("federated.updates", null, "Devices selected for rounds that ended, by how their part ended.");
        _bytes = _meter.CreateCounter<long>("federated.transfer", "By", "Encoded message bytes between the server and contributors, by direction as the devices see it.");
        _cpu = _meter.CreateCounter<double>("federated.round.cpu", "s", "Processor time of the server process during rounds; rounds of several jobs at once count it twice.");
        _phases = _meter.CreateHistogram("federated.round.phase.duration", "s", "How long each phase of a round took.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = SecondsBuckets });
        _clientPhases = _meter.CreateHistogram("federated.client.phase.duration", "s", "How long each phase of a device's part in a round took.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = SecondsBuckets });
        _accuracy = _meter.CreateGauge<double>("federated.model.accuracy", "1", "Share of held-out examples told rightly by the last evaluated model of a job.");
        _loss = _meter.CreateGauge<double>("federated.model.loss", null, "Mean loss on held-out examples of the last evaluated model of a job.");
        _epsilon = _meter.CreateGauge<double>("federated.privacy.epsilon", null, "Epsilon that a job has spent, for its delta.");
        _version = _meter.CreateGauge<long>("federated.model.version", null, "Committed version of a job's model.");
        _ = _meter.CreateObservableGauge("federated.devices", () => Devices(census.Count()), null, "Devices that checked in since the server started, by what they do.");
        _ = _meter.CreateObservableCounter("federated.checkins", () => census.CheckIns, null, "Check-ins answered.");
    }

    /// <summary>Counts a round that has ended.</summary>
    public void Recorded(RoundRecord record, RoundTimeline? timeline)
    {
        KeyValuePair<string, object?> job = new("job_id", record.JobId);
        _rounds.Add(1, job, new("outcome", NameOf(record.Outcome)));
        _version.Record(record.ModelVersion, job);
        Add("accepted", record.Accepted, job);
        foreach ((string reason, int count) in record.Dropped)
        {
            Add(reason, count, job);
        }

        foreach ((string direction, long bytes) in new[] { ("up", record.BytesUp), ("down", record.BytesDown) })
        {
            _bytes.Add(bytes, job, new("direction", direction));
        }

        _cpu.Add(record.Timing.ProcessCpuSeconds, job);
        foreach ((string phase, double seconds) in RoundPhases.Of(record.Timing))
        {
            _phases.Record(seconds, job, new("phase", phase));
        }

        foreach (ClientTimeline client in timeline?.Clients ?? [])
        {
            foreach ((string phase, double seconds) in RoundPhases.Of(client))
            {
                _clientPhases.Record(seconds, job, new("phase", phase));
            }
        }

        if (record.Epsilon is { } epsilon)
        {
            _epsilon.Record(epsilon, job);
        }

        if (record.Evaluation is { } evaluation)
        {
            _loss.Record(evaluation.Loss, job);
            if (evaluation.Accuracy is { } accuracy)
            {
                _accuracy.Record(accuracy, job);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static string NameOf(RoundOutcome outcome) => outcome == RoundOutcome.Committed ? "committed" : "abandoned";

    private static Measurement<int>[] Devices(FleetCounts counts) =>
    [
        new(counts.Waiting, new KeyValuePair<string, object?>("state", "waiting")),
        new(counts.Training, new KeyValuePair<string, object?>("state", "training")),
        new(counts.Resting, new KeyValuePair<string, object?>("state", "resting")),
        new(counts.Absent, new KeyValuePair<string, object?>("state", "absent")),
    ];

    private void Add(string outcome, int count, KeyValuePair<string, object?> job)
    {
        if (count > 0)
        {
            _updates.Add(count, job, new("outcome", outcome));
        }
    }
}
