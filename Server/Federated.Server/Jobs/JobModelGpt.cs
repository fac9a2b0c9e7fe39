using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Modeling.Transformers;

namespace Federated.Server.Jobs;

/// <summary>Sizes of a decoder, as a job's file states them.</summary>
public sealed record JobModelGpt
{
    [Description("Tokens there are; 256 for bytes.")]
    [Range(2, 1 << 20)]
    public int Vocabulary { get; init; } = 256;

    [Description("Tokens an example.")]
    [Range(1, GptSpec.MaxContext)]
    public int Context { get; init; } = 128;

    [Description("Numbers a position.")]
    [Range(2, 1 << 14)]
    public int Width { get; init; } = 128;

    [Description("Blocks.")]
    [Range(1, 256)]
    public int Layers { get; init; } = 5;

    [Description("Query heads; width / heads must be even.")]
    [Range(1, 256)]
    public int Heads { get; init; } = 4;

    [Description("Heads of keys and values; divides heads.")]
    [Range(1, 256)]
    public int KeyValueHeads { get; init; } = 2;

    [Description("Units of the feed-forward layer, of each expert if there are several.")]
    [Range(1, 1 << 16)]
    public int FeedForward { get; init; } = 352;

    [Description("Positions that one looks at, itself included; null for all before it.")]
    [Range(1, GptSpec.MaxContext)]
    public int? Window { get; init; }

    [Description("Experts a block; 1 for a plain feed-forward layer.")]
    [Range(1, 64)]
    public int Experts { get; init; } = 1;

    [Description("Experts that one position goes through.")]
    [Range(1, 64)]
    public int ActiveExperts { get; init; } = 1;

    [Description("Base of the rotary positions.")]
    [Range(1.0, 1e9, MinimumIsExclusive = true)]
    public double RotaryBase { get; init; } = 10_000;

    [Description("Term added under the root of the normalizations.")]
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double NormEpsilon { get; init; } = 1e-5;

    [Description("Whether the embedding is the output layer too.")]
    public bool TiedEmbedding { get; init; } = true;

    /// <summary>The same as the builder takes it.</summary>
    public GptSpec ToSpec() => new()
    {
        Vocabulary = Vocabulary,
        Context = Context,
        Width = Width,
        Layers = Layers,
        Heads = Heads,
        KeyValueHeads = KeyValueHeads,
        FeedForward = FeedForward,
        Window = Window,
        Experts = Experts,
        ActiveExperts = ActiveExperts,
        RotaryBase = RotaryBase,
        NormEpsilon = NormEpsilon,
        TiedEmbedding = TiedEmbedding,
    };
}
