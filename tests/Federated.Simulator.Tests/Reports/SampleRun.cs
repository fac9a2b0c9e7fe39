using Federated.Server.Rounds;
using Federated.Simulator.Reports;

namespace Federated.Simulator.Tests.Reports;

/// <summary>A made-up run with every kind of round.</summary>
internal static class SampleRun
{
    public static IReadOnlyList<RoundRecord> Rounds(int count) => [.. Enumerable.Range(1, count).Select(Round)];

    public static RoundRecord Round(int n) => new()
    {
        JobId = "job-1",
        Round = n,
        Outcome = n == 3 ? RoundOutcome.Abandoned : RoundOutcome.Committed,
        Reason = n == 3 ? "quorum missed" : "",
        ModelVersion = n,
        AdapterSha256 = new string('a', 63) + (char)('0' + (n % 10)),
        Goal = 10,
        Selected = 13,
        Accepted = n == 3 ? 0 : 10 - (n % 7 == 0 ? 1 : 0),
        Late = n % 3,
        Dropped = new SortedDictionary<string, int>(StringComparer.Ordinal) { ["SIMULATED_LOSS"] = n % 4 },
        Refused = new SortedDictionary<string, int>(StringComparer.Ordinal) { ["LATE"] = n % 3 },
        Contributors = ["device-001", "device-002"],
        Examples = 6_000,
        TrainLoss = 1.0 / n,
        UpdateNorm = 0.5,
        Evaluation = n % 2 == 0 ? new CentralEvaluation(10_000, 0.08 + (1.2 / n), 0.98 - (0.4 / n)) : null,
        BytesUp = n == 3 ? 0 : 7_970_000,
        BytesDown = n == 3 ? 0 : 8_010_000,
        Timing = new RoundTiming { TotalSeconds = 0.4, StartedAt = DateTimeOffset.UnixEpoch.AddSeconds(n) },
    };

    public static RunSummary Summary(IReadOnlyList<RoundRecord> rounds, double? target = 0.97)
    {
        RunTotals totals = RunTotals.Of(rounds, target);
        return new RunSummary
        {
            Scenario = "sample",
            Seed = 1,
            Outcome = RunOutcome.TargetReached,
            Reason = "",
            Devices = 100,
            Rounds = totals.Rounds,
            AbandonedRounds = totals.Abandoned,
            TargetAccuracy = target,
            RoundsToTarget = totals.RoundsToTarget,
            InitialAccuracy = 0.1,
            InitialLoss = 2.303,
            FinalAccuracy = totals.LastEvaluation?.Accuracy,
            FinalLoss = totals.LastEvaluation?.Loss,
            Published = new PublishedFigure(87, "arXiv 1602.05629, table 1"),
            WallSeconds = 40,
            SetupSeconds = 1,
            CpuSeconds = 70,
            ClientUpdates = totals.Accepted,
            ClientUpdatesPerSecond = totals.Accepted / 40.0,
            BytesUpPerClientRound = totals.BytesUpPerClientRound,
            BytesDownPerClientRound = totals.BytesDownPerClientRound,
            DenseFullModelBytes = 796_840,
            DenseAdapterBytes = 796_840,
            Dropped = totals.Dropped.Values.Sum(),
            DroppedByReason = totals.Dropped,
            Late = totals.Late,
            RefusedByOutcome = totals.Refused,
            PeakMemoryBytes = 300_000_000,
            EnergyJoulesPerClientRound = 3.5,
            AveragingBias = totals.AveragingBias,
            Privacy = null,
            Engine = "onnx",
            Threads = 2,
            AdapterSha256 = totals.AdapterSha256,
            Machine = new RunMachine("0.1.0", ".NET 10", "Linux", "X64", 2),
        };
    }
}
