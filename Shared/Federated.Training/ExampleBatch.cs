namespace Federated.Training;

/// <summary>
/// Where a source copies a batch of N examples to: the engine's own input arrays, row-major. The source's <see cref="ExampleFormat"/> says which
/// two of the four are used; the others are empty.
/// </summary>
public readonly ref struct ExampleBatch
{
    /// <summary>A place for numbers and classes.</summary>
    public ExampleBatch(Span<float> features, Span<long> labels)
        : this(features, [], labels, [])
    {
    }

    /// <summary>A place for any kind; what is not used is empty.</summary>
    public ExampleBatch(Span<float> features, Span<long> tokens, Span<long> labels, Span<float> targets)
    {
        Features = features;
        Tokens = tokens;
        Labels = labels;
        Targets = targets;
    }

    /// <summary>float32 features: [N · FeatureLength].</summary>
    public Span<float> Features { get; }

    /// <summary>int64 features: [N · FeatureLength].</summary>
    public Span<long> Tokens { get; }

    /// <summary>int64 labels: [N · LabelLength].</summary>
    public Span<long> Labels { get; }

    /// <summary>float32 labels: [N · LabelLength].</summary>
    public Span<float> Targets { get; }
}
