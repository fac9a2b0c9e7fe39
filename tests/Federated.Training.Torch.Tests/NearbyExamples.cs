using Federated.Shared.Randomness;

namespace Federated.Training.Torch.Tests;

/// <summary>Examples whose features are moved by about one millionth of themselves, which is what a few roundings in float32 do.</summary>
internal sealed class NearbyExamples(IExampleSource examples, ulong seed) : IExampleSource
{
    private const double Distance = 1e-6;

    public int Count => examples.Count;

    public int FeatureLength => examples.Format.FeatureLength;

    public ExampleFormat Format => examples.Format;

    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        examples.CopyTo(indices, batch);
        SeededGenerator random = SeededGenerator.For(seed, "nearby");
        for (int i = 0; i < batch.Features.Length; i++)
        {
            batch.Features[i] *= (float)(1 + (Distance * random.NextGaussian()));
        }
    }
}
