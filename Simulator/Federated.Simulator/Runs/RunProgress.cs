using Federated.Server.Rounds;

namespace Federated.Simulator.Runs;

/// <summary>Where a run stands. Immutable; <see cref="After"/> gives the next.</summary>
internal sealed record RunProgress
{
    private const int HistoryLength = 60;

    /// <summary>Most rounds.</summary>
    public required long MaxRounds { get; init; }

    /// <summary>Target accuracy, 0 to 1.</summary>
    public required double? TargetAccuracy { get; init; }

    /// <summary>The last round that ended; null before the first.</summary>
    public RoundRecord? Last { get; private init; }

    /// <summary>The last evaluation.</summary>
    public CentralEvaluation? Evaluation { get; private init; }

    /// <summary>Highest accuracy so far.</summary>
    public double? BestAccuracy { get; private init; }

    /// <summary>The last accuracies, oldest first.</summary>
    public IReadOnlyList<double> Accuracies { get; private init; } = [];

    /// <summary>Rounds that ended.</summary>
    public long Rounds { get; private init; }

    /// <summary>Updates accepted.</summary>
    public long Updates { get; private init; }

    /// <summary>Devices lost.</summary>
    public long Dropped { get; private init; }

    /// <summary>Late updates as far as known.</summary>
    public long Late { get; private init; }

    /// <summary>Bytes the contributors sent.</summary>
    public long BytesUp { get; private init; }

    /// <summary>Bytes the contributors received.</summary>
    public long BytesDown { get; private init; }

    /// <summary>Time since the submission, when the last round ended.</summary>
    public TimeSpan Elapsed { get; private init; }

    /// <summary>Rounds a second; 0 before the first.</summary>
    public double RoundsPerSecond => Elapsed > TimeSpan.Zero ? Rounds / Elapsed.TotalSeconds : 0;

    /// <summary>Accepted updates a second; 0 before the first.</summary>
    public double UpdatesPerSecond => Elapsed > TimeSpan.Zero ? Updates / Elapsed.TotalSeconds : 0;

    /// <summary>Time to the last round at the rate so far: reaching the target ends it sooner. Null before the first round.</summary>
    public TimeSpan? MostTimeLeft => RoundsPerSecond > 0 && Last is { } last
        ? TimeSpan.FromSeconds(Math.Max(0, MaxRounds - last.Round) / RoundsPerSecond)
        : null;

    /// <summary>The progress when one more round has ended.</summary>
    /// <param name="round">The round.</param>
    /// <param name="elapsed">Time since the submission.</param>
    public RunProgress After(RoundRecord round, TimeSpan elapsed) => this with
    {
        Last = round,
        Evaluation = round.Evaluation ?? Evaluation,
        BestAccuracy = round.Evaluation?.Accuracy is { } accuracy ? Math.Max(BestAccuracy ?? 0, accuracy) : BestAccuracy,
        Accuracies = round.Evaluation?.Accuracy is { } point ? [.. Accuracies.TakeLast(HistoryLength - 1), point] : Accuracies,
        Rounds = Rounds + 1,
        Updates = Updates + round.Accepted,
        Dropped = Dropped + round.Dropped.Values.Sum(),
        Late = Late + round.Late,
        BytesUp = BytesUp + round.BytesUp,
        BytesDown = BytesDown + round.BytesDown,
        Elapsed = elapsed,
    };
}
