using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Training.Data;

namespace Federated.Server.Jobs;

/// <summary>Central evaluation on held-out examples.</summary>
public sealed record EvaluationSettings
{
    [Description("Evaluate after every so many committed rounds, before the first, and after the last.")]
    [Range(1, 1_000_000)]
    public int Every { get; init; } = 1;

    [Description("Most examples to evaluate on, spread evenly over all; null for all.")]
    [Range(1, int.MaxValue)]
    public int? Limit { get; init; }

    [Description("The held-out examples, read on the server.")]
    public required EvaluationSource Data { get; init; }
}

/// <summary>Formats of held-out examples.</summary>
public enum EvaluationSourceKind
{
    /// <summary>An IDX file of images and one of labels, as MNIST has them.</summary>
    Idx,

    /// <summary>A comma-separated file.</summary>
    Csv,

    /// <summary>A folder of UTF-8 text files, each byte a token.</summary>
    Text,

    /// <summary>A file of little-endian 32-bit tokens.</summary>
    Tokens,

    /// <summary>Texts by author in a zip file or a folder, each byte a token.</summary>
    Corpus,
}

/// <summary>Where held-out examples lie, on the server.</summary>
public sealed record EvaluationSource : ISettings
{
    [Description("idx: two IDX files; csv: one comma-separated file; text: a folder of UTF-8 texts, each byte a token; tokens: a file of 32-bit tokens; corpus: a zip file or folder with a folder of .txt files for each author.")]
    public required EvaluationSourceKind Kind { get; init; }

    [Description("idx: path of the images.")]
    [MinLength(1, ErrorMessage = "a path")]
    public string? Images { get; init; }

    [Description("idx: path of the labels.")]
    [MinLength(1, ErrorMessage = "a path")]
    public string? Labels { get; init; }

    [Description("csv, text, tokens and corpus: path of the file or folder.")]
    [MinLength(1, ErrorMessage = "a path")]
    public string? Path { get; init; }

    [Description("csv: name of the label column, or its number from 0 (-1 is the last) as text; label when left out.")]
    [MinLength(1, ErrorMessage = "a column's name or number as text")]
    public string? LabelColumn { get; init; }

    [Description("csv: name or number of the column with the number that a regression foretells, in the place of labelColumn.")]
    [MinLength(1, ErrorMessage = "a column's name or number as text")]
    public string? TargetColumn { get; init; }

    [Description("text, tokens and corpus: tokens an example, as the model takes them.")]
    [Range(1, TokenExamples.MaxLength)]
    public int? Length { get; init; }

    [Description("corpus: first document meant, by the name of its file without .txt; from the beginning when left out.")]
    public string? From { get; init; }

    [Description("corpus: last document meant; to the end when left out.")]
    public string? To { get; init; }

    [Description("corpus: all, allButLast or last of each author's documents; last when left out.")]
    public CorpusPart? Part { get; init; }

    [Description("idx: how the images are seen, in turn: the first example in the first variant, and so on; plain when left out.")]
    [Length(1, 16)]
    public IReadOnlyList<ImageVariant>? Variants { get; init; }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        bool corpus = Kind == EvaluationSourceKind.Corpus;
        bool idx = Kind == EvaluationSourceKind.Idx;
        bool csv = Kind == EvaluationSourceKind.Csv;
        return KindKey.Validate(
            path,
            Kind,
            [
                new("images", Images, idx, "a path"),
                new("labels", Labels, idx, "a path"),
                new("path", Path, !idx, "a path"),
                new("labelColumn", LabelColumn, csv && TargetColumn is null),
                new("targetColumn", TargetColumn, csv),
                new("length", Length, !idx && !csv, "a number of tokens"),
                new("from", From, corpus),
                new("to", To, corpus),
                new("part", Part, corpus),
                new("variants", Variants, idx),
            ]);
    }
}
