namespace Federated.Training.Data;

/// <summary>Makes the features of one example from one file. Immutable.</summary>
/// <typeparam name="T">What features are kept as.</typeparam>
internal interface IFileReader<T>
    where T : unmanaged
{
    /// <summary>Elements of one example's features.</summary>
    int FeatureLength { get; }

    /// <summary>Longest file.</summary>
    long MaxFileBytes { get; }

    /// <summary>Whether a file of this name is one of the source's.</summary>
    bool Takes(string name);

    /// <summary>The features [FeatureLength] of a file's content.</summary>
    /// <returns>What stood in the way; null when nothing did.</returns>
    FileProblem? Read(byte[] content, out T[] features);

    /// <summary>Kept features [FeatureLength] as the model takes them.</summary>
    void CopyTo(ReadOnlySpan<T> kept, Span<float> features);
}

/// <summary>Why no example comes from a file.</summary>
internal enum FileProblem
{
    /// <summary>It is damaged, cut off, or not of its format.</summary>
    Undecodable,

    /// <summary>It is not as the source demands.</summary>
    Unsuitable,

    /// <summary>It is beyond a limit.</summary>
    TooLarge,
}
