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

    // A bar from the centre to the top: turned clockwise by 45 degrees it points to the upper right corner.
    [Theory]
    [InlineData(ImageVariant.Rotated30, 0, 3)]
    [InlineData(ImageVariant.Rotated45, 0, 4)]
    [InlineData(ImageVariant.Rotated315, 0, 0)]
    [InlineData(ImageVariant.Rotated330, 0, 1)]
    public void CopyTo_TurnBetweenQuarters_MovesTheEndOfABar(ImageVariant variant, int row, int column)
    {
        float[] bar = new float[25];
        (bar[2], bar[7], bar[12]) = (1, 1, 1);
        VariedImages images = new(new ArrayExamples([bar], [0]), [5, 5], [variant]);
        float[] features = new float[25];

        images.CopyTo([0], new ExampleBatch(features, new long[1]));

        Assert.Equal(1, features[12]);
        Assert.Equal(Math.Abs(column - 2) == 2 ? 0 : 1, features[(row * 5) + column]);
        Assert.Equal(0, features[2]);
        Assert.Equal(1, features[(1 * 5) + (column < 2 ? 1 : 3)]);
    }

    // A disc above the centre: its own centre moves along a circle, clockwise.
    [Theory]
    [InlineData(ImageVariant.Rotated30, 30)]
    [InlineData(ImageVariant.Rotated45, 45)]
    [InlineData(ImageVariant.Rotated90, 90)]
    [InlineData(ImageVariant.Rotated180, 180)]
    [InlineData(ImageVariant.Rotated270, 270)]
    [InlineData(ImageVariant.Rotated315, 315)]
    [InlineData(ImageVariant.Rotated330, 330)]
    public void CopyTo_Turn_MovesADiscByItsDegrees(ImageVariant variant, double degrees)
    {
        const int Side = 41;
        const int Centre = Side / 2;
        const int Above = 12;
        float[] disc = new float[Side * Side];
        for (int pixel = 0; pixel < disc.Length; pixel++)
        {
            disc[pixel] = Math.Pow((pixel / Side) - Centre + Above, 2) + Math.Pow((pixel % Side) - Centre, 2) <= 16 ? 1 : 0;
        }

        VariedImages images = new(new ArrayExamples([disc], [0]), [Side, Side], [variant]);
        float[] features = new float[disc.Length];
        images.CopyTo([0], new ExampleBatch(features, new long[1]));

        double light = features.Sum();
        double up = features.Select((value, pixel) => value * (Centre - (pixel / Side))).Sum() / light;
        double right = features.Select((value, pixel) => value * ((pixel % Side) - Centre)).Sum() / light;
        (double sine, double cosine) = Math.SinCos(double.DegreesToRadians(degrees));
        Assert.Equal(Above * cosine, up, 0.3);
        Assert.Equal(Above * sine, right, 0.3);
    }

    [Theory]
    [InlineData(ImageVariant.InvertedRotated30, ImageVariant.Rotated30)]
    [InlineData(ImageVariant.InvertedRotated330, ImageVariant.Rotated330)]
    public void CopyTo_InvertedTurn_IsTheTurnDarkForLight(ImageVariant inverted, ImageVariant turned)
    {
        IExampleSource source = new ArrayExamples([[.. Enumerable.Range(0, 25).Select(i => i / 25f)]], [0]);
        float[] dark = new float[25];
        float[] light = new float[25];

        new VariedImages(source, [5, 5], [inverted]).CopyTo([0], new ExampleBatch(dark, new long[1]));
        new VariedImages(source, [5, 5], [turned]).CopyTo([0], new ExampleBatch(light, new long[1]));

        Assert.All(dark.Zip(light), pair => Assert.Equal(1, pair.First + pair.Second, 1e-6f));
    }

    [Fact]
    public void Create_ImagesThatAreNotSquare_AreRefused() => Assert.Contains(
        "square images", Assert.Throws<ArgumentException>(() => new VariedImages(new ArrayExamples([[1, 2]], [0]), [1, 2], [ImageVariant.Plain])).Message, StringComparison.Ordinal);

    [Fact]
    public void Create_OtherNumberOfVariants_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new VariedImages(new ArrayExamples([[1, 2, 3, 4]], [0]), _square, []));
}
