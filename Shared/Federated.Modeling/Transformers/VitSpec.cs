namespace Federated.Modeling.Transformers;

/// <summary>Sizes of a transformer that classifies images (Dosovitskiy et al. 2021, arXiv 2010.11929).</summary>
public sealed record VitSpec
{
    /// <summary>Channels, height and width of one example.</summary>
    public IReadOnlyList<int> ImageShape { get; init; } = [1, 28, 28];

    /// <summary>Pixels along a side of a patch; divides height and width.</summary>
    public int Patch { get; init; } = 7;

    /// <summary>C: numbers a patch.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Blocks.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>H: heads; divides C.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Units of the feed-forward layer.</summary>
    public int FeedForward { get; init; } = 256;

    /// <summary>Classes.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>Demands sizes that fit each other.</summary>
    /// <exception cref="ArgumentException">They do not; the message names the key, the value and what is allowed.</exception>
    internal void Demand()
    {
        Require(ImageShape.Count == 3 && ImageShape.All(size => size is >= 1 and <= 4096), "imageShape", $"[{string.Join(", ", ImageShape)}]", "channels, height and width, each 1 to 4096");
        Require(Patch >= 1 && ImageShape[1] % Patch == 0 && ImageShape[2] % Patch == 0, "patch", Patch, "a divisor of height and width");
        foreach ((string key, int size, int least, int most) in new[]
        {
            ("width", Width, 1, 1 << 14), ("layers", Layers, 1, 256), ("heads", Heads, 1, Width), ("feedForward", FeedForward, 1, 1 << 16), ("classes", Classes, 2, 1 << 20),
        })
        {
            Require(size >= least && size <= most, key, size, $"{least} to {most}");
        }

        Require(Width % Heads == 0, "heads", Heads, $"a divisor of width = {Width}");
    }

    private static void Require(bool holds, string key, object value, string allowed)
    {
        if (!holds)
        {
            throw new ArgumentException($"model.vit.{key} is {value}; allowed is {allowed}.");
        }
    }
}
