using Federated.Shared.Models;
using Federated.Training;
using Federated.Training.Data;

namespace Federated.Server.Jobs;

/// <summary>Opens the held-out examples that a job's evaluation names.</summary>
internal static class HeldOutExamples
{
    private const string Path = "evaluation.data";

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

    /// <summary>Opens the examples before a job is there that would wait for them in vain; null when it has no evaluation.</summary>
    /// <exception cref="InvalidSettingsException">They cannot be read.</exception>
    public static IExampleSource? OpenForSubmission(EvaluationSettings? settings)
    {
        try
        {
            return Open(settings);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            throw new InvalidSettingsException([new SettingProblem(Path, $"data that cannot be read ({e.Message})", "files that the server can read")]);
        }
    }

    /// <summary>Demands that a model takes the examples and knows all of their labels, so that a job does not stop at its first evaluation.</summary>
    /// <param name="examples">What <see cref="OpenForSubmission"/> gave.</param>
    /// <param name="manifest">The model. One without an evaluation graph takes any examples, as none is evaluated.</param>
    /// <exception cref="InvalidSettingsException">They do not fit.</exception>
    public static void DemandFit(IExampleSource? examples, PackageManifest manifest)
    {
        if (examples is null || manifest.Evaluation.LengthBytes == 0)
        {
            return;
        }

        ExampleFormat wanted = ExampleFormat.Of(manifest);
        if (examples.Format != wanted)
        {
            throw new InvalidSettingsException([new SettingProblem(Path, $"examples with {examples.Format}", $"{wanted}, which model '{manifest.Name}' takes")]);
        }

        try
        {
            DemandLabels(examples, wanted, manifest);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidSettingsException([new SettingProblem(Path, $"data that does not fit the model ({e.Message})", "examples with labels that the model knows")]);
        }
    }

    private static void DemandLabels(IExampleSource examples, ExampleFormat format, PackageManifest manifest)
    {
        if (format.LabelType == ElementType.Float32)
        {
            return;
        }

        bool hasTokens = format.FeatureType == ElementType.Int64;
        float[] features = new float[hasTokens ? 0 : format.FeatureLength];
        long[] tokens = new long[hasTokens ? format.FeatureLength : 0];
        long[] labels = new long[format.LabelLength];
        for (int i = 0; i < examples.Count; i++)
        {
            examples.CopyTo([i], new ExampleBatch(features, tokens, labels, []));
            _ = BatchLabels.Count(manifest, [i], labels);
        }
    }
}
