using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Spectre.Console;

namespace Federated.Server.Cli;

/// <summary>A job and its rounds, as <c>jobs show</c> prints them.</summary>
internal sealed record JobWithRounds(JobStatus Job, IReadOnlyList<RoundRecord> Rounds);

/// <summary>Prints jobs and models for people.</summary>
internal static class JobTable
{
    /// <summary>One job.</summary>
    public static void Print(JobStatus job) => PrintAll([job]);

    /// <summary>Several jobs.</summary>
    public static void PrintAll(IReadOnlyList<JobStatus> jobs)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("job", "population", "state", "round", "accuracy", "model", "reason");
        foreach (JobStatus job in jobs)
        {
            table.AddRow(
                Markup.Escape(job.JobId),
                Markup.Escape(job.Population),
                job.State.ToString().ToLowerInvariant(),
                $"{job.Round}/{job.MaxRounds}",
                Percent(job.Accuracy),
                job.IsKnown ? $"v{job.ModelVersion} {job.AdapterSha256[..12]}" : "–",
                Markup.Escape(job.Reason));
        }

        AnsiConsole.Write(table);
    }

    /// <summary>A job with a line for every round.</summary>
    public static void PrintRounds(JobWithRounds shown)
    {
        Print(shown.Job);
        if (shown.Job.Privacy is { } privacy)
        {
            AnsiConsole.WriteLine(privacy.Statement);
        }

        if (shown.Job.InitialLoss is { } loss)
        {
            string accuracy = shown.Job.InitialAccuracy is { } share ? $"accuracy {Percent(share)}, " : "";
            AnsiConsole.WriteLine($"before training: {accuracy}loss {Number(loss)} on held-out examples");
        }

        PrintRounds(shown.Rounds);
    }

    /// <summary>A line for every round.</summary>
    public static void PrintRounds(IReadOnlyList<RoundRecord> rounds)
    {
        Table table = new Table().Border(TableBorder.Rounded)
            .AddColumns("round", "outcome", "accepted", "late", "dropped", "accuracy", "loss", "training loss", "bytes up", "bytes down", "seconds");
        bool biased = rounds.Any(round => round.AveragingBias is not null);
        if (biased)
        {
            table.AddColumn("averaging bias");
        }

        ScoreColumn[] scores = ScoreColumn.In(rounds.Select(round => round.Evaluation));
        bool isPrivate = rounds.Any(round => round.Epsilon is not null);
        if (isPrivate)
        {
            table.AddColumn("ε so far");
        }

        table.AddColumns([.. scores.Select(score => score.Name)]);

        foreach (RoundRecord round in rounds)
        {
            List<string> row =
            [
                round.Round.ToString(),
                Markup.Escape(round.Outcome == RoundOutcome.Committed ? "committed" : $"abandoned: {round.Reason}"),
                $"{round.Accepted}/{round.Selected}",
                round.Late.ToString(),
                round.Dropped.Values.Sum().ToString(),
                Percent(round.Evaluation?.Accuracy),
                Number(round.Evaluation?.Loss),
                Number(round.MeasuredTrainLoss),
                round.BytesUp.ToString("N0"),
                round.BytesDown.ToString("N0"),
                round.Timing.TotalSeconds.ToString("F2"),
            ];
            if (biased)
            {
                row.Add(Percent(round.AveragingBias));
            }

            if (isPrivate)
            {
                row.Add(round.Epsilon?.ToString("F3") ?? "–");
            }

            row.AddRange(scores.Select(score => Number(score.Of(round.Evaluation))));

            table.AddRow([.. row]);
        }

        AnsiConsole.Write(table);
    }

    /// <summary>The models.</summary>
    public static void PrintModels(IReadOnlyList<ModelDescription> models)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("job", "model", "version", "parameters", "accuracy", "adapter");
        foreach (ModelDescription model in models)
        {
            table.AddRow(
                Markup.Escape(model.JobId),
                Markup.Escape(model.Model),
                model.Version.ToString(),
                model.Parameters.ToString("N0"),
                Percent(model.Accuracy),
                model.AdapterSha256);
        }

        AnsiConsole.Write(table);
    }

    /// <summary>The versions of a model.</summary>
    public static void PrintVersions(IReadOnlyList<ModelVersion> versions)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("version", "round", "accuracy", "loss", "training loss", "update", "adapter", "kept");
        ScoreColumn[] scores = ScoreColumn.In(versions.Select(version => version.Evaluation));
        table.AddColumns([.. scores.Select(score => score.Name)]);
        foreach (ModelVersion version in versions)
        {
            table.AddRow(
            [
                version.Version.ToString(),
                version.Round.ToString(),
                Percent(version.Evaluation?.Accuracy),
                Number(version.Evaluation?.Loss),
                Number(version.Round > 0 ? version.TrainLoss : null),
                version.Round > 0 ? version.UpdateNorm.ToString("G4") : "–",
                version.AdapterSha256.Length > 12 ? version.AdapterSha256[..12] : "–",
                version.Kept ? "yes" : "no",
                .. scores.Select(score => Number(score.Of(version.Evaluation))),
            ]);
        }

        AnsiConsole.Write(table);
    }

    private static string Number(double? value) => ScoreText.Number(value);

    private static string Percent(double? value) => ScoreText.Percent(value);

    /// <summary>A score that only some tasks have, and that is shown where it was measured.</summary>
    private sealed record ScoreColumn(string Name, Func<CentralEvaluation?, double?> Of)
    {
        private static readonly ScoreColumn[] _all =
        [
            new("mean absolute error", evaluation => evaluation?.MeanAbsoluteError),
            new("cosine similarity", evaluation => evaluation?.CosineSimilarity),
        ];

        /// <summary>Those that one of the evaluations has.</summary>
        public static ScoreColumn[] In(IEnumerable<CentralEvaluation?> evaluations) =>
            [.. _all.Where(column => evaluations.Any(evaluation => column.Of(evaluation) is not null))];
    }
}
