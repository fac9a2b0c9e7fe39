namespace Federated.Training;

/// <summary>
/// Labelled examples that stay where they are; a batch is copied out on demand, straight into the engine's input. Thread-safe for
/// concurrent reads.
/// </summary>
public interface IExampleSource
{
    /// <summary>How many examples there are.</summary>
    int Count { get; }

    /// <summary>Elements of one example's features.</summary>
    int FeatureLength { get; }

    /// <summary>Copies the examples at <paramref name="indices"/> [N], each in [0, Count), as float32 features and labels.</summary>
    /// <param name="indices">[N].</param>
    /// <param name="features">[N · FeatureLength], row-major.</param>
    /// <param name="labels">[N].</param>
    void CopyTo(ReadOnlySpan<int> indices, Span<float> features, Span<long> labels);
}
