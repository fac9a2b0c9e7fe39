using Federated.Server.Rounds;

namespace Federated.Simulator.Reports;

/// <summary>Sums over the rounds of a run.</summary>
internal sealed record RunTotals
{
    private RunTotals()
    {
    }

    /// <summary>Rounds that ended.</summary>
    public long Rounds { get; private init; }

    /// <summary>Rounds without a new model.</summary>
    public long Abandoned { get; private init; }

    /// <summary>Updates accepted.</summary>
    public long Accepted { get; private init; }

    /// <summary>Updates after the close.</summary>
    public long Late { get; private init; }

    /// <summary>Lost devices by reason, in ordinal order.</summary>
    public required SortedDictionary<string, long> Dropped { get; init; }

    /// <summary>Refused submissions by outcome, in ordinal order.</summary>
    public required SortedDictionary<string, long> Refused { get; init; }

    /// <summary>Mean bytes a contributor sent in a round; 0 without contributors.</summary>
    public double BytesUpPerClientRound { get; private init; }

    /// <summary>Mean bytes a contributor received in a round; 0 without contributors.</summary>
    public double BytesDownPerClientRound { get; private init; }

    /// <summary>The last evaluation, if any.</summary>
    public CentralEvaluation? LastEvaluation { get; private init; }

    /// <summary>First round whose evaluation reached the target.</summary>
    public long? RoundsToTarget { get; private init; }

    /// <summary>Mean averaging bias of the rounds that tell it; null when none does.</summary>
    public double? AveragingBias { get; private init; }

    /// <summary>The last committed model's adapter; empty when none was.</summary>
    public string AdapterSha256 { get; private init; } = "";

    /// <summary>Sums up.</summary>
    /// <param name="rounds">In order of rounds.</param>
    /// <param name="targetAccuracy">0 to 1, or null.</param>
    public static RunTotals Of(IReadOnlyList<RoundRecord> rounds, double? targetAccuracy)
    {
        long accepted = rounds.Sum(round => (long)round.Accepted);
        long up = rounds.Sum(round => round.BytesUp);
        long down = rounds.Sum(round => round.BytesDown);
        return new RunTotals
        {
            Rounds = rounds.Count,
            Abandoned = rounds.Count(round => round.Outcome == RoundOutcome.Abandoned),
            Accepted = accepted,
            Late = rounds.Sum(round => (long)round.Late),
            Dropped = Merge(rounds.Select(round => round.Dropped)),
            Refused = Merge(rounds.Select(round => round.Refused)),
            BytesUpPerClientRound = accepted == 0 ? 0 : (double)up / accepted,
            BytesDownPerClientRound = accepted == 0 ? 0 : (double)down / accepted,
            LastEvaluation = rounds.LastOrDefault(round => round.Evaluation is not null)?.Evaluation,
            RoundsToTarget = rounds.FirstOrDefault(round => round.Evaluation?.Accuracy >= targetAccuracy)?.Round,
            AveragingBias = rounds.Average(round => round.AveragingBias),
            AdapterSha256 = rounds.LastOrDefault(round => round.Outcome == RoundOutcome.Committed)?.AdapterSha256 ?? "",
        };
    }

    private static SortedDictionary<string, long> Merge(IEnumerable<IReadOnlyDictionary<string, int>> counts)
    {
        SortedDictionary<string, long> merged = new(StringComparer.Ordinal);
        foreach ((string key, int count) in counts.SelectMany(round => round))
        {
            merged[key] = merged.GetValueOrDefault(key) + count;
        }

        return merged;
    }
}
