using System.Globalization;

namespace Federated.Server.Rounds;

/// <summary>An evaluation's score in the terms of the model's task, as the command line and reports print it.</summary>
internal static class ScoreText
{
    /// <summary>The score with its name, for a line of text: <c>accuracy 97.25 %</c>, <c>mean absolute error 0.1234</c>, <c>cosine similarity 0.9876</c>.</summary>
    public static string Named(CentralEvaluation? evaluation)
    {
        TaskScore score = TaskScore.In(evaluation);
        return $"{score.Name} {Of(score, evaluation)}";
    }

    /// <summary>The score alone: a share as a percentage; a dash for none.</summary>
    public static string Of(TaskScore score, CentralEvaluation? evaluation) => score.IsShare ? Percent(score.Of(evaluation)) : Number(score.Of(evaluation));

    /// <summary>The same for a cell of a table of several tasks; a dash where there is no evaluation.</summary>
    public static string Cell(CentralEvaluation? evaluation) => evaluation is null ? "–" : Named(evaluation);

    /// <summary>A number with four decimals; a dash for none.</summary>
    public static string Number(double? value) => value?.ToString("F4", CultureInfo.InvariantCulture) ?? "–";

    /// <summary>A share as a percentage; a dash for none.</summary>
    public static string Percent(double? value) => value is { } share ? (100 * share).ToString("F2", CultureInfo.InvariantCulture) + " %" : "–";
}
