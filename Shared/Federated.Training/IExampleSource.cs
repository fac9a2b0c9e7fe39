namespace Federated.Training;

/// <summary>
/// Labelled examples that stay where they are; a batch is copied out on demand, straight into the engine's input. Thread-safe for
/// concurrent reads.
/// </summary>
public interface IExampleSource
{
    /// <summary>How many examples there are.</summary>
    int Count { get; }

    /// <summary>What each of them is made of.</summary>
    ExampleFormat Format { get; }

    /// <summary>Copies the examples at <paramref name="indices"/> [N], each in [0, Count).</summary>
    /// <param name="indices">[N].</param>
    /// <param name="batch">Exactly as long as N examples of <see cref="Format"/> are.</param>
    void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch);
}

/// <summary>Shorter ways to ask a source.</summary>
public static class ExampleSources
{
    /// <summary>Copies float32 features and int64 labels; for a source that has such.</summary>
    public static void CopyTo(this IExampleSource source, ReadOnlySpan<int> indices, Span<float> features, Span<long> labels)
    {
        ArgumentNullException.ThrowIfNull(source);
        source.CopyTo(indices, new ExampleBatch(features, labels));
    }
}
