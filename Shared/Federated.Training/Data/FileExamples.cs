namespace Federated.Training.Data;

/// <summary>Classified examples that came from one file each. Immutable.</summary>
/// <param name="reader">Who read them.</param>
/// <param name="features">[Count][FeatureLength].</param>
/// <param name="labels">[Count].</param>
internal sealed class FileExamples<T>(IFileReader<T> reader, T[][] features, long[] labels) : IExampleSource
    where T : unmanaged
{
    /// <inheritdoc/>
    public int Count => labels.Length;

    /// <inheritdoc/>
    public ExampleFormat Format => ExampleFormat.Classified(reader.FeatureLength);

    /// <inheritdoc/>
    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        int length = reader.FeatureLength;
        Span<float> destination = batch.Features;
        Span<long> classes = batch.Labels;
        BatchSpans.Check(indices.Length, Format, batch);
        for (int i = 0; i < indices.Length; i++)
        {
            classes[i] = labels[indices[i]];
            reader.CopyTo(features[indices[i]], destination.Slice(i * length, length));
        }
    }
}
