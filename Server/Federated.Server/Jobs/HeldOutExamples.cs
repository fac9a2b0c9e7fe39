using Federated.Training;
using Federated.Training.Data;

namespace Federated.Server.Jobs;

/// <summary>Opens the held-out examples that a job's evaluation names.</summary>
internal static class HeldOutExamples
{
    /// <summary>The examples; null when the job has no evaluation.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is not what it should be.</exception>
    public static IExampleSource? Open(EvaluationSettings? settings) => settings?.Data switch
    {
        null => null,
        { Kind: EvaluationSourceKind.Idx } idx => IdxExamples.Load(idx.Images!, idx.Labels!),
        { Kind: EvaluationSourceKind.Text } text => TokenExamples.OfText(TextFolder.Load(text.Path!), text.Length!.Value),
        { Kind: EvaluationSourceKind.Tokens } tokens => TokenExamples.Load(tokens.Path!, tokens.Length!.Value),
        { TargetColumn: { } target } csv => CsvExamples.Load(csv.Path!, new CsvOptions { LabelColumn = target, LabelIsNumber = true }),
        { } csv => CsvExamples.Load(csv.Path!, csv.LabelColumn is { } column ? new CsvOptions { LabelColumn = column } : new CsvOptions()),
    };

    /// <summary>Demands that the examples can be read, before a job is there that would wait for them in vain.</summary>
    /// <exception cref="InvalidSettingsException">They cannot.</exception>
    public static void Check(EvaluationSettings? settings)
    {
        try
        {
            _ = Open(settings);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            throw new InvalidSettingsException([new SettingProblem("evaluation.data", $"data that cannot be read ({e.Message})", "files that the server can read")]);
        }
    }
}
