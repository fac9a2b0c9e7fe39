using Federated.Server.Dashboard.Parts;
using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.Server.Dashboard;

/// <summary>The charts of a job's page, each with what it says in words.</summary>
internal sealed record JobCharts(
    ChartSpec Quality, string QualitySays, ChartSpec Loss, string LossSays, ChartSpec Bytes, string BytesSays, ChartSpec Phases, string PhasesSays)
{
    /// <summary>Rounds whose phases are drawn: more are too narrow to be told apart.</summary>
    public const int PhaseRounds = 60;

    private const int MaxPoints = 600;

    /// <summary>Draws a job's rounds, in order.</summary>
    public static JobCharts Of(JobStatus job, IReadOnlyList<RoundRecord> all)
    {
        IReadOnlyList<RoundRecord> rounds = Thin(all);
        double[] x = [.. rounds.Select(round => (double)round.Round)];
        RoundRecord[] last = [.. all.TakeLast(PhaseRounds)];
        RoundRecord end = all[^1];
        double up = PerDevice(end, end.BytesUp) ?? 0;
        TaskScore score = TaskScore.In(all.Select(round => round.Evaluation));
        ChartSpec quality = new()
        {
            X = x,
            Unit = score.IsShare ? "percent" : "number",
            Series = [new ChartSeries(score.Title, "series-1", [.. rounds.Select(round => Finite(score.Of(round.Evaluation)))])],
        };
        ChartSpec loss = new()
        {
            X = x,
            Unit = "number",
            Series =
            [
                new ChartSeries("Central", "series-1", [.. rounds.Select(round => Finite(round.Evaluation?.Loss))]),
                new ChartSeries("On the devices", "series-2", [.. rounds.Select(round => round.Accepted > 0 ? Finite(round.TrainLoss) : null)]),
            ],
        };
        ChartSpec bytes = new()
        {
            X = x,
            Unit = "bytes",
            Logarithmic = true,
            Series =
            [
                new ChartSeries("Up", "series-1", [.. rounds.Select(round => PerDevice(round, round.BytesUp))]),
                new ChartSeries("Down", "series-2", [.. rounds.Select(round => PerDevice(round, round.BytesDown))]),
                new ChartSeries("Dense adapter", "series-3", [.. rounds.Select(_ => Positive(job.DenseAdapterBytes))], Dashed: true),
                new ChartSeries("Dense model", "series-4", [.. rounds.Select(_ => Positive(job.DenseFullModelBytes))], Dashed: true),
            ],
        };
        ChartSpec phases = new()
        {
            X = [.. last.Select(round => (double)round.Round)],
            Unit = "seconds",
            Stacked = true,
            FromZero = true,
            Series =
            [
                new ChartSeries("Evaluate", "series-4", [.. last.Select(round => (double?)round.Timing.EvaluateSeconds)]),
                new ChartSeries("Commit", "series-3", [.. last.Select(round => (double?)round.Timing.CommitSeconds)]),
                new ChartSeries("Collect", "series-1", [.. last.Select(round => (double?)round.Timing.CollectSeconds)]),
                new ChartSeries("Select", "wait", [.. last.Select(round => (double?)round.Timing.SelectSeconds)]),
            ],
        };
        return new JobCharts(
            quality,
            $"Central {score.Name} over {all.Count} rounds, now {Units.Score(score, job.Evaluation)}.",
            loss,
            $"Loss over {all.Count} rounds, centrally now {Units.Number(job.Loss)}, on the devices {Units.Number(end.TrainLoss)}.",
            bytes,
            $"In round {end.Round} a device sent {Units.Bytes(up)} and received {Units.Bytes(PerDevice(end, end.BytesDown))}; the dense model has {Units.Bytes(job.DenseFullModelBytes)}.",
            phases,
            $"Round {end.Round} took {Units.Seconds(end.Timing.TotalSeconds)}, of which collecting took {Units.Seconds(end.Timing.CollectSeconds)}.");
    }

    // A browser draws a few hundred points well; the first and the last stay.
    private static IReadOnlyList<RoundRecord> Thin(IReadOnlyList<RoundRecord> rounds) => rounds.Count <= MaxPoints
        ? rounds
        : [.. Enumerable.Range(0, MaxPoints).Select(point => rounds[(int)((long)point * (rounds.Count - 1) / (MaxPoints - 1))])];

    private static double? PerDevice(RoundRecord round, long bytes) => round.Accepted > 0 ? Positive((double)bytes / round.Accepted) : null;

    private static double? Positive(double value) => value > 0 ? value : null;

    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}
