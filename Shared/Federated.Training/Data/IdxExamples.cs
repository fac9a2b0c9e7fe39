using System.Collections.Immutable;

namespace Federated.Training.Data;

/// <summary>
/// Examples in the IDX format of the MNIST database: one file of unsigned bytes [Count, …] and one of labels [Count], plain or
/// gzip. The bytes stay as they are in memory, a quarter of their float32 size, and are scaled to [0, 1] as b / 255 when a batch
/// is copied out. Thread-safe.
/// </summary>
public sealed class IdxExamples : IExampleSource
{
    private readonly byte[] _features;
    private readonly byte[] _labels;

    internal IdxExamples(byte[] features, byte[] labels, ImmutableArray<int> exampleShape)
    {
        _features = features;
        _labels = labels;
        ExampleShape = exampleShape;
        FeatureLength = exampleShape.Aggregate(1, (product, dimension) => product * dimension);
    }

    /// <inheritdoc/>
    public int Count => _labels.Length;

    /// <summary>Elements of one example's features.</summary>
    public int FeatureLength { get; }

    /// <inheritdoc/>
    public ExampleFormat Format => ExampleFormat.Classified(FeatureLength);

    /// <summary>Shape of one example, for example [28, 28].</summary>
    public ImmutableArray<int> ExampleShape { get; }

    /// <summary>The labels: [Count], for whoever partitions the examples.</summary>
    public ReadOnlySpan<byte> Labels => _labels;

    /// <summary>Reads a pair of IDX files. Every length is checked against the file before memory is taken for it.</summary>
    /// <param name="featuresPath">Unsigned bytes with 2 to 5 dimensions, the first being the examples.</param>
    /// <param name="labelsPath">Unsigned bytes with 1 dimension.</param>
    /// <param name="slice">First example and count to read, so that the others take no memory; all when null. Of a compressed file the rest is not looked at.</param>
    /// <exception cref="InvalidDataException">A file is not what it should be, or ends before the slice does; the message names file, offset, value and limit.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static IdxExamples Load(string featuresPath, string labelsPath, (int Start, int Count)? slice = null)
    {
        (ImmutableArray<int> shape, byte[] features) = IdxFile.Read(featuresPath, leastDimensions: 2, mostDimensions: 5, slice);
        (ImmutableArray<int> labelShape, byte[] labels) = IdxFile.Read(labelsPath, leastDimensions: 1, mostDimensions: 1, slice);
        return shape[0] == labelShape[0]
            ? new IdxExamples(features, labels, shape.RemoveAt(0))
            : throw new InvalidDataException(
                $"'{featuresPath}' holds {shape[0]} examples but '{labelsPath}' {labelShape[0]} labels. Give the two files of one data set.");
    }

    /// <inheritdoc/>
    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        int length = FeatureLength;
        Span<float> features = batch.Features;
        Span<long> labels = batch.Labels;
        BatchSpans.Check(indices.Length, Format, batch);
        for (int i = 0; i < indices.Length; i++)
        {
            int index = indices[i];
            labels[i] = _labels[index];
            PixelScaling.ToUnitInterval(_features.AsSpan(index * length, length), features.Slice(i * length, length));
        }
    }
}
