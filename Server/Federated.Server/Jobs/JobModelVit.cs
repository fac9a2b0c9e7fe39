using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Modeling.Transformers;

namespace Federated.Server.Jobs;

/// <summary>Sizes of a vision transformer, as a job's file states them.</summary>
public sealed record JobModelVit
{
    [Description("Channels, height and width of one example.")]
    [Length(3, 3)]
    public IReadOnlyList<int> ImageShape { get; init; } = [1, 28, 28];

    [Description("Pixels along a side of a patch; divides height and width.")]
    [Range(1, 4096)]
    public int Patch { get; init; } = 7;

    [Description("Numbers a patch.")]
    [Range(1, 1 << 14)]
    public int Width { get; init; } = 64;

    [Description("Blocks.")]
    [Range(1, 256)]
    public int Layers { get; init; } = 4;

    [Description("Heads; divides width.")]
    [Range(1, 256)]
    public int Heads { get; init; } = 4;

    [Description("Units of the feed-forward layer.")]
    [Range(1, 1 << 16)]
    public int FeedForward { get; init; } = 256;

    [Description("Number of classes.")]
    [Range(2, 1 << 20)]
    public int Classes { get; init; } = 10;

    /// <summary>The same as the builder takes it.</summary>
    public VitSpec ToSpec() => new()
    {
        ImageShape = ImageShape,
        Patch = Patch,
        Width = Width,
        Layers = Layers,
        Heads = Heads,
        FeedForward = FeedForward,
        Classes = Classes,
    };
}
