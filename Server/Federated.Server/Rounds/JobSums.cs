namespace Federated.Server.Rounds;

/// <summary>What a job's rounds come to.</summary>
internal sealed record JobSums
{
    /// <summary>Bytes the contributors sent.</summary>
    public long BytesUp { get; private init; }

    /// <summary>Bytes the contributors received.</summary>
    public long BytesDown { get; private init; }

    /// <summary>Devices selected, over all rounds.</summary>
    public long Selected { get; private init; }

    /// <summary>Updates accepted, over all rounds.</summary>
    public long Updates { get; private init; }

    /// <summary>Updates that came late, over all rounds.</summary>
    public long Late { get; private init; }

    /// <summary>Rounds without a new model.</summary>
    public long Abandoned { get; private init; }

    /// <summary>Devices that dropped out, by reason, the most frequent first.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> Dropped { get; private init; } = [];

    /// <summary>Submissions refused, by outcome, the most frequent first.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> Refused { get; private init; } = [];

    /// <summary>Time the contributors trained.</summary>
    public double ComputeSeconds { get; private init; }

    /// <summary>Time the contributors downloaded.</summary>
    public double DownloadSeconds { get; private init; }

    /// <summary>Time from the start of each round to its end.</summary>
    public double TotalSeconds { get; private init; }

    /// <summary>Processor time of the server's process during the rounds.</summary>
    public double ProcessSeconds { get; private init; }

    /// <summary>Largest memory that a device reported.</summary>
    public long PeakMemoryBytes { get; private init; }

    /// <summary>Mean share of the updates that were clipped; null without the linear codec.</summary>
    public double? ClippedShare { get; private init; }

    /// <summary>Adds the rounds up.</summary>
    public static JobSums Of(IReadOnlyList<RoundRecord> rounds) => new()
    {
        BytesUp = rounds.Sum(round => round.BytesUp),
        BytesDown = rounds.Sum(round => round.BytesDown),
        Selected = rounds.Sum(round => (long)round.Selected),
        Updates = rounds.Sum(round => (long)round.Accepted),
        Late = rounds.Sum(round => (long)round.Late),
        Abandoned = rounds.Count(round => round.Outcome == RoundOutcome.Abandoned),
        Dropped = Count(rounds.SelectMany(round => round.Dropped)),
        Refused = Count(rounds.SelectMany(round => round.Refused)),
        ComputeSeconds = rounds.Sum(round => round.Timing.ClientComputeSeconds),
        DownloadSeconds = rounds.Sum(round => round.Timing.ClientDownloadSeconds),
        TotalSeconds = rounds.Sum(round => round.Timing.TotalSeconds),
        ProcessSeconds = rounds.Sum(round => round.Timing.ProcessCpuSeconds),
        PeakMemoryBytes = rounds.Select(round => round.Timing.ClientPeakMemoryBytes).DefaultIfEmpty().Max(),
        ClippedShare = rounds.Average(round => round.ClippedShare),
    };

    private static List<KeyValuePair<string, int>> Count(IEnumerable<KeyValuePair<string, int>> counts) =>
        [.. counts.GroupBy(count => count.Key, count => count.Value, StringComparer.Ordinal).Select(group => KeyValuePair.Create(group.Key, group.Sum()))
            .OrderByDescending(count => count.Value).ThenBy(count => count.Key, StringComparer.Ordinal)];
}
