using Federated.Shared.Models;
using Federated.Shared.Randomness;

namespace Federated.Training.Torch.Tests;

/// <summary>Random features with random labels of whatever kind a package takes; few enough to be learnt by heart.</summary>
internal sealed class SyntheticExamples : IExampleSource
{
    private readonly float[] _features;
    private readonly long[] _tokens;
    private readonly long[] _labels;
    private readonly float[] _targets;

    public SyntheticExamples(PackageManifest manifest, int count, ulong seed)
    {
        Count = count;
        Format = ExampleFormat.Of(manifest);
        SeededGenerator random = SeededGenerator.For(seed, "synthetic");
        int classes = manifest.Labels.Classes ?? 1;
        _features = [.. Enumerable.Range(0, count * Format.FeatureLength).Select(_ => (float)random.NextGaussian())];
        _tokens = [.. Enumerable.Range(0, count * Format.FeatureLength).Select(_ => (long)random.NextInt(8))];
        _labels = [.. Enumerable.Range(0, count * Format.LabelLength).Select(_ => (long)random.NextInt(classes))];
        _targets = [.. Enumerable.Range(0, count * Format.LabelLength).Select(_ => (float)random.NextDouble())];
    }

    public int Count { get; }

    public ExampleFormat Format { get; }

    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            Copy(_features, batch.Features, indices[i], i, Format.FeatureLength);
            Copy(_tokens, batch.Tokens, indices[i], i, Format.FeatureLength);
            Copy(_labels, batch.Labels, indices[i], i, Format.LabelLength);
            Copy(_targets, batch.Targets, indices[i], i, Format.LabelLength);
        }
    }

    private static void Copy<T>(T[] source, Span<T> target, int from, int to, int length)
    {
        if (!target.IsEmpty)
        {
            source.AsSpan(from * length, length).CopyTo(target[(to * length)..]);
        }
    }
}
