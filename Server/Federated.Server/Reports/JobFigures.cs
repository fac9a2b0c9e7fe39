using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.Server.Reports;

/// <summary>The totals of a job as reports print them.</summary>
internal static class JobFigures
{
    /// <summary>Figures by name.</summary>
    public static IReadOnlyList<(string Name, string Value)> Of(JobStatus job, IReadOnlyList<RoundRecord> rounds)
    {
        JobSums sums = JobSums.Of(rounds);
        double bytes = (double)sums.BytesUp + sums.BytesDown;
        double dense = 2.0 * sums.Updates * job.DenseFullModelBytes;
        TaskScore score = TaskScore.In(job.Evaluation, job.InitialEvaluation);
        return
        [
            (score.Title, ScoreText.Of(score, job.Evaluation)),
            ($"{score.Title} before training", ScoreText.Of(score, job.InitialEvaluation)),
            ("Loss", ScoreText.Number(job.Loss)),
            ("Loss before training", ScoreText.Number(job.InitialLoss)),
            ("Rounds", FormattableString.Invariant($"{rounds.Count} of {job.MaxRounds - job.SkippedRounds}, {sums.Abandoned} abandoned")),
            ("Rounds to target", job.RoundsToTarget is { } reached ? FormattableString.Invariant($"{reached}") : "–"),
            ("Updates", FormattableString.Invariant($"{sums.Updates:N0}")),
            ("Late", FormattableString.Invariant($"{sums.Late:N0}")),
            ("Dropped", FormattableString.Invariant($"{sums.Dropped.Sum(drop => (long)drop.Value):N0}")),
            ("Bytes up", FormattableString.Invariant($"{sums.BytesUp:N0}")),
            ("Bytes down", FormattableString.Invariant($"{sums.BytesDown:N0}")),
            ("Against the whole model both ways", dense > 0 ? FormattableString.Invariant($"{100 * bytes / dense:F2} %") : "–"),
            ("Privacy spent", job.Privacy is { } privacy ? privacy.Statement : "no differential privacy"),
            ("Time in rounds", FormattableString.Invariant($"{sums.TotalSeconds:F2} s")),
            ("Processor time of the server process in rounds", FormattableString.Invariant($"{sums.ProcessSeconds:F2} s")),
            ("Model", FormattableString.Invariant($"version {job.ModelVersion}, {job.AdapterSha256}")),
        ];
    }
}
