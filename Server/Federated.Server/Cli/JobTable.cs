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
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("job", "population", "state", "round", "score", "model", "reason");
        foreach (JobStatus job in jobs)
        {
            table.AddRow(
                Markup.Escape(job.JobId),
                Markup.Escape(job.Population),
                job.State.ToString().ToLowerInvariant(),
                $"{job.Round}/{job.MaxRounds}",
                ScoreText.Cell(job.Evaluation),
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
            string score = shown.Job.InitialEvaluation is { } evaluation ? $"{ScoreText.Named(evaluation)}, " : "";
            AnsiConsole.WriteLine($"before training: {score}loss {Number(loss)} on held-out examples");
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

        TaskScore[] scores = FurtherScores(rounds.Select(round => round.Evaluation));
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
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("job", "model", "version", "parameters", "score", "adapter");
        foreach (ModelDescription model in models)
        {
            table.AddRow(
                Markup.Escape(model.JobId),
                Markup.Escape(model.Model),
                model.Version.ToString(),
                model.Parameters.ToString("N0"),
                ScoreText.Cell(model.Evaluation),
                model.AdapterSha256);
        }

        AnsiConsole.Write(table);
    }

    /// <summary>The versions of a model.</summary>
    public static void PrintVersions(IReadOnlyList<ModelVersion> versions)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("version", "round", "accuracy", "loss", "training loss", "update", "adapter", "kept");
        TaskScore[] scores = FurtherScores(versions.Select(version => version.Evaluation));
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

    /// <summary>Scores that only some tasks have, where one of the evaluations has them: accuracy has a column of its own.</summary>
    private static TaskScore[] FurtherScores(IEnumerable<CentralEvaluation?> evaluations)
    {
        TaskScore score = TaskScore.In(evaluations);
        return score == TaskScore.Accuracy ? [] : [score];
    }
}
