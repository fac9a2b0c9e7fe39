namespace Federated.Server.Rounds;

/// <summary>A part of a round, by what it was spent on.</summary>
public enum RoundPart
{
    /// <summary>Waiting for a cohort.</summary>
    Select,

    /// <summary>From the first assignment to the close.</summary>
    Collect,

    /// <summary>Aggregate, server optimizer, checkpoint.</summary>
    Commit,

    /// <summary>Central evaluation.</summary>
    Evaluate,
}

/// <summary>A part of what a device did in a round.</summary>
public enum ClientPhase
{
    /// <summary>Downloading the model or the adapter.</summary>
    Download,

    /// <summary>Training.</summary>
    Train,

    /// <summary>Encoding the update.</summary>
    Encode,

    /// <summary>What is left before the upload: waiting for a group's keys, pauses.</summary>
    Other,

    /// <summary>The same with training in it, whose length a device under secure aggregation does not tell.</summary>
    TrainAndWait,

    /// <summary>Uploading.</summary>
    Upload,

    /// <summary>It had the plan and sent nothing before the round closed.</summary>
    Silence,
}

/// <summary>A device that held a round up.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="Phase">What it spent most more time on than the others did.</param>
/// <param name="PhaseSeconds">How long that took it.</param>
/// <param name="TypicalSeconds">How long it took the median device.</param>
/// <param name="CostSeconds">How long after the typical end of a device's part it was done.</param>
public sealed record SlowClient(string DeviceId, ClientPhase Phase, double PhaseSeconds, double TypicalSeconds, double CostSeconds);

/// <summary>
/// Why a round took as long as it did. Pure: of a record and a timeline, both of which depend on the clock and what devices reported of themselves.
/// </summary>
/// <param name="Phase">The phase that took longest.</param>
/// <param name="PhaseSeconds">How long it took.</param>
/// <param name="TotalSeconds">All of the round.</param>
/// <param name="TypicalEndSeconds">When the median device that contributed was done, from the first assignment; null when none contributed.</param>
/// <param name="WaitedSeconds">How long the round went on after that.</param>
/// <param name="Slow">The devices that it waited for, the most costly first; empty when collecting was not what took longest, or all devices took alike.</param>
public sealed record RoundDiagnosis(
    RoundPart Phase, double PhaseSeconds, double TotalSeconds, double? TypicalEndSeconds, double WaitedSeconds, IReadOnlyList<SlowClient> Slow)
{
    // A device is named when it took at least this share of the wait, and the wait is worth a word.
    private const double NotableShareOfWait = 0.5;
    private const double NotableShareOfRound = 0.2;
    private const double NotableSeconds = 0.05;

    /// <summary>Explains a round.</summary>
    /// <param name="record">Its record.</param>
    /// <param name="timeline">Its devices; null when they are not kept any more.</param>
    public static RoundDiagnosis Of(RoundRecord record, RoundTimeline? timeline)
    {
        RoundTiming timing = record.Timing;
        (RoundPart phase, double seconds) = new[]
        {
            (RoundPart.Collect, timing.CollectSeconds), (RoundPart.Select, timing.SelectSeconds), (RoundPart.Commit, timing.CommitSeconds), (RoundPart.Evaluate, timing.EvaluateSeconds),
        }.MaxBy(part => part.Item2);

        // A round that closed at its goal waited for nobody but those in the model; any other waited for everybody.
        bool goalReached = record.Accepted >= record.Goal;
        ClientTimeline[] clients = timeline is null ? [] : [.. timeline.Clients];
        ClientTimeline[] done = [.. clients.Where(client => client is { Outcome: ClientOutcome.Done, EndedAt: not null })];
        if (phase != RoundPart.Collect || done.Length == 0)
        {
            return new RoundDiagnosis(phase, seconds, timing.TotalSeconds, null, 0, phase == RoundPart.Collect ? Silent(clients, timing.CollectSeconds) : []);
        }

        DateTimeOffset start = clients.Min(client => client.AssignedAt);
        double typical = Median(done.Select(client => (client.EndedAt!.Value - start).TotalSeconds));
        double wait = Math.Max(0, timing.CollectSeconds - typical);
        IReadOnlyList<SlowClient> slow = wait < NotableSeconds || wait < NotableShareOfRound * timing.CollectSeconds
            ? []
            : [.. (goalReached ? done : clients).Select(client => Explain(client, done, start, typical, timing.CollectSeconds))
                .OfType<SlowClient>()
                .Where(client => client.CostSeconds >= NotableShareOfWait * wait)
                .OrderByDescending(client => client.CostSeconds)
                .ThenBy(client => client.DeviceId, StringComparer.Ordinal)];
        return new RoundDiagnosis(phase, seconds, timing.TotalSeconds, typical, wait, slow);
    }

    // What a device's part took that the round waited for; null for one that is still at work.
    private static SlowClient? Explain(
        ClientTimeline client, ClientTimeline[] done, DateTimeOffset start, double typicalSeconds, double collectSeconds)
    {
        double end = client.EndedAt is { } at ? Math.Min(collectSeconds, (at - start).TotalSeconds) : collectSeconds;
        switch (client.Outcome)
        {
            case ClientOutcome.Done:
                break;
            case ClientOutcome.Dropped or ClientOutcome.Missing or ClientOutcome.Late when client.UploadStartedAt is null:
                double silence = Math.Min(collectSeconds, end - Math.Max(0, (client.AssignedAt - start).TotalSeconds));
                return new SlowClient(client.DeviceId, ClientPhase.Silence, silence, typicalSeconds, end - typicalSeconds);
            case ClientOutcome.Working:
                return null;
        }

        (ClientPhase phase, double seconds, double usual) = Phases(client)
            .Select((part, index) => (part.Phase, part.Seconds, Usual: Median(done.Select(other => Phases(other)[index].Seconds))))
            .MaxBy(part => part.Seconds - part.Usual);
        return new SlowClient(client.DeviceId, phase, seconds, usual, end - typicalSeconds);
    }

    private static (ClientPhase Phase, double Seconds)[] Phases(ClientTimeline client) =>
    [
        (ClientPhase.Train, client.ComputeSeconds),
        (ClientPhase.Download, client.DownloadSeconds),
        (ClientPhase.Upload, client is { UploadStartedAt: { } begin, EndedAt: { } end } ? Math.Max(0, (end - begin).TotalSeconds) : 0),
        (ClientPhase.Encode, client.EncodeSeconds),
        (client.ToldComputeSeconds is null ? ClientPhase.TrainAndWait : ClientPhase.Other, client.OtherSeconds ?? 0),
    ];

    // Nobody contributed: everybody who had the plan and sent nothing is what the round waited for.
    private static SlowClient[] Silent(ClientTimeline[] clients, double collectSeconds) =>
    [
        .. clients.Where(client => client.Outcome is ClientOutcome.Missing or ClientOutcome.Dropped)
            .Select(client => new SlowClient(client.DeviceId, ClientPhase.Silence, collectSeconds, 0, collectSeconds))
            .OrderBy(client => client.DeviceId, StringComparer.Ordinal),
    ];

    private static double Median(IEnumerable<double> values)
    {
        double[] ordered = [.. values.Order()];
        return ordered.Length == 0 ? 0 : (ordered[(ordered.Length - 1) / 2] + ordered[ordered.Length / 2]) / 2;
    }
}
