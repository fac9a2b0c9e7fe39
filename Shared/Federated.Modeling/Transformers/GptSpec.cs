namespace Federated.Modeling.Transformers;

/// <summary>
/// Sizes of a decoder of the Llama family (Touvron et al. 2023, arXiv 2302.13971): RMSNorm, rotary positions, grouped-query attention, SwiGLU;
/// with experts and a window as in Mixtral and Mistral (arXiv 2401.04088, 2310.06825).
/// </summary>
public sealed record GptSpec
{
    /// <summary>Most tokens an example: the graphs hold a mask of T² numbers, 64 MiB for these.</summary>
    public const int MaxContext = 4096;

    /// <summary>V: tokens there are; 256 for bytes.</summary>
    public int Vocabulary { get; init; } = 256;

    /// <summary>T: tokens an example, up to <see cref="MaxContext"/>.</summary>
    public int Context { get; init; } = 128;

    /// <summary>C: numbers a position.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Blocks.</summary>
    public int Layers { get; init; } = 5;

    /// <summary>H: query heads; C / H must be even.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Heads of keys and values; divides H.</summary>
    public int KeyValueHeads { get; init; } = 2;

    /// <summary>Units of the feed-forward layer, of each expert if there are several.</summary>
    public int FeedForward { get; init; } = 352;

    /// <summary>Positions that one looks at, itself included; null for all before it.</summary>
    public int? Window { get; init; }

    /// <summary>Experts a block; 1 for a plain feed-forward layer.</summary>
    public int Experts { get; init; } = 1;

    /// <summary>Experts that one position goes through.</summary>
    public int ActiveExperts { get; init; } = 1;

    /// <summary>θ of the rotary positions.</summary>
    public double RotaryBase { get; init; } = 10_000;

    /// <summary>ε of the normalizations.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Whether the embedding is the output layer too.</summary>
    public bool TiedEmbedding { get; init; } = true;

    /// <summary>Numbers a head, D.</summary>
    internal int HeadWidth => Width / Heads;

    /// <summary>Demands sizes that fit each other.</summary>
    /// <exception cref="ArgumentException">They do not; the message names the key, the value and what is allowed.</exception>
    internal void Demand()
    {
        foreach ((string key, int size, int most) in new[]
        {
            ("vocabulary", Vocabulary, 1 << 20), ("context", Context, MaxContext), ("width", Width, 1 << 14), ("layers", Layers, 256), ("heads", Heads, 256),
            ("keyValueHeads", KeyValueHeads, Heads), ("feedForward", FeedForward, 1 << 16), ("window", Window ?? 1, Context), ("experts", Experts, 64),
            ("activeExperts", ActiveExperts, Experts),
        })
        {
            Require(size >= 1 && size <= most, key, size, $"1 to {most}");
        }

        Require(Width % Heads == 0 && HeadWidth % 2 == 0, "heads", Heads, $"a divisor of width = {Width} that leaves an even number a head");
        Require(Heads % KeyValueHeads == 0, "keyValueHeads", KeyValueHeads, $"a divisor of heads = {Heads}");
        Require(RotaryBase is > 1 and <= 1e9, "rotaryBase", RotaryBase, "above 1, at most 1e9");
        Require(NormEpsilon is > 0 and <= 1, "normEpsilon", NormEpsilon, "above 0, at most 1");
    }

    private static void Require(bool holds, string key, object value, string allowed)
    {
        if (!holds)
        {
            throw new ArgumentException($"model.gpt.{key} is {value}; allowed is {allowed}.");
        }
    }
}
