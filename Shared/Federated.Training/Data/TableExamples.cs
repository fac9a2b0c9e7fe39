using Federated.Shared.Models;

namespace Federated.Training.Data;

/// <summary>
/// Examples that were read from a table, one a row: numeric features in the order of the columns, and a class or a number as the label. Held in memory
/// as float32. Thread-safe.
/// </summary>
public abstract class TableExamples : IExampleSource
{
    private readonly float[] _features;
    private readonly long[] _labels;
    private readonly float[] _targets;

    /// <summary>Takes over what was read; the arrays are not copied and must not change.</summary>
    /// <param name="features">[Count · featureLength], row by row.</param>
    /// <param name="labels">The classes: [Count], or empty.</param>
    /// <param name="targets">The numbers: [Count], or empty; one of the two is.</param>
    /// <param name="featureLength">Features of one example, at least 1.</param>
    protected TableExamples(float[] features, long[] labels, float[] targets, int featureLength)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentOutOfRangeException.ThrowIfLessThan(featureLength, 1);
        _features = features;
        _labels = labels;
        _targets = targets;
        FeatureLength = featureLength;
    }

    /// <inheritdoc/>
    public int Count => _features.Length / FeatureLength;

    /// <summary>Elements of one example's features.</summary>
    public int FeatureLength { get; }

    /// <inheritdoc/>
    public ExampleFormat Format => new(ElementType.Float32, FeatureLength, _targets.Length > 0 ? ElementType.Float32 : ElementType.Int64, 1);

    /// <summary>The classes: [Count], for whoever partitions the examples; empty when labels are numbers.</summary>
    public ReadOnlySpan<long> Labels => _labels;

    /// <inheritdoc/>
    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        int length = FeatureLength;
        Span<float> features = batch.Features;
        BatchSpans.Check(indices.Length, Format, batch);
        for (int i = 0; i < indices.Length; i++)
        {
            int index = indices[i];
            if (_targets.Length > 0)
            {
                batch.Targets[i] = _targets[index];
            }
            else
            {
                batch.Labels[i] = _labels[index];
            }

            _features.AsSpan(index * length, length).CopyTo(features.Slice(i * length, length));
        }
    }
}
