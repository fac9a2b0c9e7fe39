using System.Diagnostics;
using Federated.Server.Rounds;

namespace Federated.Server.Telemetry;

/// <summary>
/// Makes one trace of a round that has ended: the round, its phases, every device of its cohort and what that device did. It is built from the record and the timelines, because
/// devices send no traces: a phone line to a collector is not theirs to pay, and what they report with an update says the same.
/// </summary>
internal sealed class RoundTrace : IDisposable
{
    /// <summary>Name of the source.</summary>
    public const string SourceName = "Federated.Server";

    private readonly ActivitySource _source = new(SourceName);

    /// <summary>Makes the trace, when anybody listens.</summary>
    public void Recorded(RoundRecord record, RoundTimeline? timeline)
    {
        if (!_source.HasListeners())
        {
            return;
        }

        // A round is nobody's child, whatever call this happens to run in.
        Activity? surrounding = Activity.Current;
        Activity.Current = null;
        try
        {
            DateTimeOffset start = record.Timing.StartedAt;
            using Activity? round = Start("round", start, default, ActivityKind.Server);
            if (round is null)
            {
                return;
            }

            round.SetTag("federated.job", record.JobId).SetTag("federated.round", record.Round).SetTag("federated.outcome", record.Outcome.ToString().ToLowerInvariant())
                .SetTag("federated.selected", record.Selected).SetTag("federated.accepted", record.Accepted);
            if (record.Outcome == RoundOutcome.Abandoned)
            {
                round.SetStatus(ActivityStatusCode.Error, record.Reason);
            }

            Sequence(RoundPhases.Of(record.Timing), start, round.Context);
            foreach (ClientTimeline client in timeline?.Clients ?? [])
            {
                Add(client, start + TimeSpan.FromSeconds(record.Timing.TotalSeconds), round.Context);
            }

            round.SetEndTime((start + TimeSpan.FromSeconds(record.Timing.TotalSeconds)).UtcDateTime);
        }
        finally
        {
            Activity.Current = surrounding;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private void Add(ClientTimeline client, DateTimeOffset roundEnd, ActivityContext round)
    {
        using Activity? span = Start("client", client.AssignedAt, round, ActivityKind.Consumer);
        if (span is null)
        {
            return;
        }

        span.SetTag("federated.device", client.DeviceId).SetTag("federated.outcome", client.Outcome.ToString().ToLowerInvariant());
        if (client.Outcome != ClientOutcome.Done)
        {
            span.SetStatus(ActivityStatusCode.Error, client.Reason.Length > 0 ? client.Reason : client.Outcome.ToString().ToLowerInvariant());
        }

        Sequence(RoundPhases.Of(client), client.AssignedAt, span.Context);
        span.SetEndTime((client.EndedAt ?? roundEnd).UtcDateTime);
    }

    private void Sequence((string Phase, double Seconds)[] phases, DateTimeOffset start, ActivityContext parent)
    {
        foreach ((string phase, double seconds) in phases)
        {
            using Activity? span = Start(phase, start, parent, ActivityKind.Internal);
            start += TimeSpan.FromSeconds(seconds);
            span?.SetEndTime(start.UtcDateTime);
        }
    }

    private Activity? Start(string name, DateTimeOffset start, ActivityContext parent, ActivityKind kind)
    {
        Activity? activity = _source.StartActivity(name, kind, parent, tags: null, links: null, start);
        Activity.Current = null;
        return activity;
    }
}
