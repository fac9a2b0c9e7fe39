using Federated.Shared.Randomness;

namespace Federated.Training.Torch.Tests;

/// <summary>Standard normal features whose greatest among the first ones is the label, so that there is something to learn.</summary>
internal sealed class RandomExamples : IExampleSource
{
    private readonly float[] _features;
    private readonly long[] _labels;

    public RandomExamples(int count, int featureLength, int classes, ulong seed)
    {
        SeededGenerator random = SeededGenerator.For(seed, "test-examples");
        FeatureLength = featureLength;
        _features = [.. Enumerable.Range(0, count * featureLength).Select(_ => (float)random.NextGaussian())];
        _labels = [.. Enumerable.Range(0, count).Select(i => (long)LargestOf(_features.AsSpan(i * featureLength, classes)))];
    }

    public int Count => _labels.Length;

    public int FeatureLength { get; }

    public ExampleFormat Format => ExampleFormat.Classified(FeatureLength);

    /// <summary>Makes one label wrong.</summary>
    public void SetLabel(int example, long label) => _labels[example] = label;

    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            _features.AsSpan(indices[i] * FeatureLength, FeatureLength).CopyTo(batch.Features[(i * FeatureLength)..]);
            batch.Labels[i] = _labels[indices[i]];
        }
    }

    private static int LargestOf(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            best = values[i] > values[best] ? i : best;
        }

        return best;
    }
}
