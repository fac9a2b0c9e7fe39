using Federated.Shared.Models;
using Federated.Shared.Randomness;
using Federated.Training;

namespace Federated.Simulator.Bench;

/// <summary>Examples of a package's format with random content: what a step costs does not depend on what it learns.</summary>
internal sealed class SyntheticExamples : IExampleSource
{
    private readonly float[] _numbers;
    private readonly long[] _tokens;
    private readonly long[] _labels;
    private readonly float[] _targets;

    /// <summary>Draws <paramref name="count"/> examples.</summary>
    public SyntheticExamples(PackageManifest manifest, int count)
    {
        Count = count;
        Format = ExampleFormat.Of(manifest);
        SeededGenerator random = SeededGenerator.For(1, "synthetic-examples");
        int classes = manifest.Labels.Classes ?? 1;
        _numbers = Format.FeatureType == ElementType.Float32 ? Numbers(count * Format.FeatureLength, random) : [];
        _tokens = Format.FeatureType == ElementType.Int64 ? Whole(count * Format.FeatureLength, classes, random) : [];
        _labels = Format.LabelType == ElementType.Int64 ? Whole(count * Format.LabelLength, classes, random) : [];
        _targets = Format.LabelType == ElementType.Float32 ? Numbers(count * Format.LabelLength, random) : [];
    }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public ExampleFormat Format { get; }

    /// <inheritdoc/>
    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            Copy(_numbers, indices[i], batch.Features, i, Format.FeatureLength);
            Copy(_tokens, indices[i], batch.Tokens, i, Format.FeatureLength);
            Copy(_labels, indices[i], batch.Labels, i, Format.LabelLength);
            Copy(_targets, indices[i], batch.Targets, i, Format.LabelLength);
        }
    }

    private static void Copy<T>(T[] all, int index, Span<T> batch, int place, int length)
    {
        if (all.Length > 0)
        {
            all.AsSpan(index * length, length).CopyTo(batch[(place * length)..]);
        }
    }

    private static float[] Numbers(int count, SeededGenerator random) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble())];

    private static long[] Whole(int count, int bound, SeededGenerator random) => [.. Enumerable.Range(0, count).Select(_ => (long)random.NextInt(bound))];
}
