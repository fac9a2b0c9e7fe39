namespace Federated.Server.Rounds;

/// <summary>The score that evaluations of a task tell, beside the loss. Immutable.</summary>
/// <param name="Name">As people call it, for example <c>mean absolute error</c>.</param>
/// <param name="IsShare">Whether it is a share of 1, which people read as a percentage, and not a number.</param>
/// <param name="Of">The score of an evaluation; null where it has none.</param>
internal sealed record TaskScore(string Name, bool IsShare, Func<CentralEvaluation?, double?> Of)
{
    /// <summary>Of classes and tokens.</summary>
    public static TaskScore Accuracy { get; } = new("accuracy", true, evaluation => evaluation?.Accuracy);

    /// <summary>Of a regression.</summary>
    public static TaskScore MeanAbsoluteError { get; } = new("mean absolute error", false, evaluation => evaluation?.MeanAbsoluteError);

    /// <summary>Of an embedding.</summary>
    public static TaskScore CosineSimilarity { get; } = new("cosine similarity", false, evaluation => evaluation?.CosineSimilarity);

    /// <summary>The name as a heading has it.</summary>
    public string Title => char.ToUpperInvariant(Name[0]) + Name[1..];

    /// <summary>The score that these evaluations of one job have; accuracy where none tells.</summary>
    public static TaskScore In(params IEnumerable<CentralEvaluation?> evaluations)
    {
        CentralEvaluation? first = evaluations.FirstOrDefault(evaluation => evaluation is not null);
        return first?.MeanAbsoluteError is not null ? MeanAbsoluteError : first?.CosineSimilarity is not null ? CosineSimilarity : Accuracy;
    }
}
