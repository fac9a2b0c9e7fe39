using Federated.Training;
using Federated.Training.Data;

namespace Federated.Server.Jobs;

/// <summary>Opens the held-out examples that a job's evaluation names.</summary>
internal static class HeldOutExamples
{
    /// <summary>The examples; null when the job has no evaluation.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is not what it should be.</exception>
    public static IExampleSource? Open(EvaluationSettings? settings)
    {
        IExampleSource? all = OpenAll(settings);
        return all is not null && settings?.Limit is { } limit && limit < all.Count
            ? new ExampleSubset(all, [.. Enumerable.Range(0, limit).Select(i => (int)((long)i * all.Count / limit))])
            : all;
    }

    private static IExampleSource? OpenAll(EvaluationSettings? settings) => settings?.Data switch
    {
        null => null,
        { Kind: EvaluationSourceKind.Idx } idx => Varied(IdxExamples.Load(idx.Images!, idx.Labels!), idx.Variants ?? []),
        { Kind: EvaluationSourceKind.Corpus } corpus => CorpusExamples.Of(
            TextCorpus.Load(corpus.Path!).Select(corpus.From, corpus.To, corpus.Part ?? CorpusPart.Last), corpus.Length!.Value).Examples,
        { Kind: EvaluationSourceKind.Text } text => TokenExamples.OfText(TextFolder.Load(text.Path!), text.Length!.Value),
        { Kind: EvaluationSourceKind.Tokens } tokens => TokenExamples.Load(tokens.Path!, tokens.Length!.Value),
        { TargetColumn: { } target } csv => CsvExamples.Load(csv.Path!, new CsvOptions { LabelColumn = target, LabelIsNumber = true }),
        { } csv => CsvExamples.Load(csv.Path!, csv.LabelColumn is { } column ? new CsvOptions { LabelColumn = column } : new CsvOptions()),
    };

    private static IExampleSource Varied(IdxExamples images, IReadOnlyList<ImageVariant> variants) => variants.Count == 0
        ? images
        : new VariedImages(images, images.ExampleShape, [.. Enumerable.Range(0, images.Count).Select(i => variants[i % variants.Count])]);

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
