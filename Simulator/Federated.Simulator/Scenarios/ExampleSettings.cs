using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Server.Jobs;
using Federated.Training.Data;

namespace Federated.Simulator.Scenarios;

/// <summary>Formats of training examples.</summary>
internal enum ExampleKind
{
    /// <summary>An IDX file of images and one of labels, plain or gzip, as MNIST has them.</summary>
    Idx,

    /// <summary>Texts by author, each byte a token.</summary>
    Corpus,
}

/// <summary>Where the training examples lie.</summary>
internal sealed record ExampleSettings : ISettings
{
    [Description("idx: two IDX files, plain or gzip; corpus: a zip file or folder with a folder of .txt files for each author.")]
    public required ExampleKind Kind { get; init; }

    [Description("idx: path of the images.")]
    [MinLength(1, ErrorMessage = "a path")]
    public string? Images { get; init; }

    [Description("idx: path of the labels.")]
    [MinLength(1, ErrorMessage = "a path")]
    public string? Labels { get; init; }

    [Description("idx: examples left out at the beginning.")]
    [Range(0, int.MaxValue)]
    public int? Skip { get; init; }

    [Description("idx: examples taken after those; all that are left when left out.")]
    [Range(1, int.MaxValue)]
    public int? Take { get; init; }

    [Description("corpus: path of the zip file or folder.")]
    [MinLength(1, ErrorMessage = "a path")]
    public string? Path { get; init; }

    [Description("corpus: tokens an example, as the model takes them.")]
    [Range(1, TokenExamples.MaxLength)]
    public int? Length { get; init; }

    [Description("corpus: first document meant, by the name of its file without .txt; from the beginning when left out.")]
    public string? From { get; init; }

    [Description("corpus: last document meant; to the end when left out.")]
    public string? To { get; init; }

    [Description("corpus: all, allButLast or last of each author's documents; allButLast when left out.")]
    public CorpusPart? Part { get; init; }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        bool idx = Kind == ExampleKind.Idx;
        return KindKey.Validate(
            path,
            Kind,
            [
                new("images", Images, idx, "a path"),
                new("labels", Labels, idx, "a path"),
                new("skip", Skip, idx),
                new("take", Take, idx),
                new("path", Path, !idx, "a path"),
                new("length", Length, !idx, "a number of tokens"),
                new("from", From, !idx),
                new("to", To, !idx),
                new("part", Part, !idx),
            ]);
    }
}

/// <summary>How a base is trained, in one place and on other examples than the devices have.</summary>
internal sealed record PretrainingSettings : ISettings
{
    [Description("The examples.")]
    public required ExampleSettings Data { get; init; }

    [Description("idx: variants in each of which every image is trained on; as they are when left out.")]
    [Length(1, 16)]
    public IReadOnlyList<ImageVariant>? Variants { get; init; }

    [Description("How they are trained on, one stage after the other.")]
    [Length(1, 16)]
    public required IReadOnlyList<TrainingSettings> Stages { get; init; }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (Variants is not null && Data.Kind != ExampleKind.Idx)
        {
            yield return new SettingProblem(SettingProblem.At(path, "variants"), "this key with texts", "images: data.kind = idx");
        }

        for (int i = 0; i < Stages.Count; i++)
        {
            if (Stages[i].FinalLearningRate is { } final)
            {
                yield return new SettingProblem(
                    $"{SettingProblem.At(path, "stages")}[{i}].finalLearningRate", $"{final}", "null: pretraining has no rounds; give it a further stage of a lower learningRate");
            }

            if (Stages[i].Directions is not null)
            {
                yield return new SettingProblem(
                    $"{SettingProblem.At(path, "stages")}[{i}].directions", "this key in a stage", "null: pretraining computes gradients");
            }
        }
    }
}
