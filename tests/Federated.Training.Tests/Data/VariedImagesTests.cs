using System.Collections.Immutable;
using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class VariedImagesTests
{
    private static readonly ImmutableArray<int> _square = [2, 2];

    [Theory]
    [InlineData(ImageVariant.Plain, 0.1f, 0.2f, 0.3f, 0.4f)]
    [InlineData(ImageVariant.Inverted, 0.9f, 0.8f, 0.7f, 0.6f)]
    [InlineData(ImageVariant.Rotated90, 0.3f, 0.1f, 0.4f, 0.2f)]
    [InlineData(ImageVariant.Rotated180, 0.4f, 0.3f, 0.2f, 0.1f)]
    [InlineData(ImageVariant.Rotated270, 0.2f, 0.4f, 0.1f, 0.3f)]
    [InlineData(ImageVariant.Mirrored, 0.2f, 0.1f, 0.4f, 0.3f)]
    public void CopyTo_Variant_MovesThePixels(ImageVariant variant, float a, float b, float c, float d)
    {
        VariedImages images = new(new ArrayExamples([[0.1f, 0.2f, 0.3f, 0.4f]], [7]), _square, [variant]);
        float[] features = new float[4];
        long[] labels = new long[1];

        images.CopyTo([0], new ExampleBatch(features, labels));

        Assert.All(new[] { a, b, c, d }.Zip(features), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
        Assert.Equal(7, labels[0]);
    }

    [Fact]
    public void CopyTo_FourQuarterTurns_AreOneImage()
    {
        IExampleSource turned = new ArrayExamples([[.. Enumerable.Range(0, 9).Select(i => i / 9f)]], [0]);
        float[] original = new float[9];
        turned.CopyTo([0], new ExampleBatch(original, new long[1]));
        for (int i = 0; i < 4; i++)
        {
            turned = new VariedImages(turned, [3, 3], [ImageVariant.Rotated90]);
        }

        float[] features = new float[9];
        turned.CopyTo([0], new ExampleBatch(features, new long[1]));
        Assert.Equal(original, features);
    }

    [Fact]
    public void Create_ImagesThatAreNotSquare_AreRefused() => Assert.Contains(
        "square images", Assert.Throws<ArgumentException>(() => new VariedImages(new ArrayExamples([[1, 2]], [0]), [1, 2], [ImageVariant.Plain])).Message, StringComparison.Ordinal);

    [Fact]
    public void Create_OtherNumberOfVariants_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new VariedImages(new ArrayExamples([[1, 2, 3, 4]], [0]), _square, []));
}
