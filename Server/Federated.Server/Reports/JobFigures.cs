using System.Globalization;
using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.Server.Reports;

/// <summary>The totals of a job as reports print them.</summary>
internal static class JobFigures
{
    /// <summary>Figures by name.</summary>
    public static IReadOnlyList<(string Name, string Value)> Of(JobStatus job, IReadOnlyList<RoundRecord> rounds)
    {
        long updates = rounds.Sum(round => (long)round.Accepted);
        double seconds = rounds.Sum(round => round.Timing.TotalSeconds);
        double bytes = rounds.Sum(round => (double)round.BytesUp + round.BytesDown);
        double dense = 2.0 * updates * job.DenseFullModelBytes;
        return
        [
            ("Accuracy", Percent(job.Accuracy)),
            ("Loss", job.Loss is { } loss ? Text($"{loss:F4}") : "–"),
            ("Rounds", Text($"{rounds.Count} of {job.MaxRounds}, {rounds.Count(round => round.Outcome == RoundOutcome.Abandoned)} abandoned")),
            ("Rounds to target", job.RoundsToTarget is { } reached ? Text($"{reached}") : "–"),
            ("Updates", Text($"{updates:N0}")),
            ("Late", Text($"{rounds.Sum(round => (long)round.Late):N0}")),
            ("Dropped", Text($"{rounds.Sum(round => (long)round.Dropped.Values.Sum()):N0}")),
            ("Bytes up", Text($"{rounds.Sum(round => round.BytesUp):N0}")),
            ("Bytes down", Text($"{rounds.Sum(round => round.BytesDown):N0}")),
            ("Against the whole model both ways", dense > 0 ? Text($"{100 * bytes / dense:F2} %") : "–"),
            ("Privacy spent", job.Privacy is { } privacy ? privacy.Statement : "no differential privacy"),
            ("Time in rounds", Text($"{seconds:F2} s")),
            ("Processor time of the server process in rounds", Text($"{rounds.Sum(round => round.Timing.ProcessCpuSeconds):F2} s")),
            ("Model", Text($"version {job.ModelVersion}, {job.AdapterSha256}")),
        ];
    }

    /// <summary>A share as a percentage.</summary>
    public static string Percent(double? share) => share is { } value ? Text($"{100 * value:F2} %") : "–";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
