using System.IO.Compression;
using Federated.Testing;
using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class IdxExamplesTests : IDisposable
{
    private static readonly byte[] Images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 51, 255, 1, 2, 3];
    private static readonly byte[] ImageLabels = [0, 0, 8, 1, 0, 0, 0, 2, 7, 0];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_PlainOrGzip_GivesScaledFeaturesAndLabels(bool gzip)
    {
        IdxExamples examples = Load(Images, ImageLabels, gzip);
        Assert.Equal((2, 3), (examples.Count, examples.FeatureLength));
        Assert.Equal([1, 3], examples.ExampleShape);
        float[] features = new float[6];
        long[] labels = new long[2];
        examples.CopyTo([1, 0], features, labels);
        Assert.Equal([1 / 255f, 2 / 255f, 3 / 255f, 0f, 0.2f, 1f], features);
        Assert.Equal([0L, 7L], labels);
    }

    [Fact]
    public void CopyTo_EveryByteAtEveryAlignment_IsDividedBy255()
    {
        // 37 is a multiple of no vector width, so that rows begin everywhere and leave every remainder.
        const int Length = 37;
        byte[] pixels = [.. Enumerable.Range(0, 256 * Length).Select(i => (byte)(i * 7 % 256))];
        IdxExamples examples = new(pixels, new byte[256], [Length]);
        float[] features = new float[256 * Length];
        examples.CopyTo([.. Enumerable.Range(0, 256)], features, new long[256]);
        for (int i = 0; i < pixels.Length; i++)
        {
            Assert.Equal(pixels[i] / 255f, features[i]);
        }
    }

    [Fact]
    public void CopyTo_DestinationTooSmall_IsRefused() => Assert.Contains(
        "6 features and 2 labels",
        Assert.Throws<ArgumentException>(() => Load(Images, ImageLabels).CopyTo([0, 1], new float[5], new long[2])).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Load_ExchangedFiles_SaysSo() => AssertRefused(ImageLabels, Images, "00000801 at offset 0", "exchanged");

    [Fact]
    public void Load_FloatImages_IsRefused() => AssertRefused([0, 0, 13, 3, .. Images[4..]], ImageLabels, "00000D03");

    [Fact]
    public void Load_TruncatedPlainFile_NamesBothLengths() => AssertRefused(Images[..^1], ImageLabels, "22 with the header", "has 21");

    [Fact]
    public void Load_TruncatedGzip_IsRefused() => AssertRefused(Images[..^1], ImageLabels, gzip: true, "ends before");

    [Fact]
    public void Load_TrailingBytesInGzip_IsRefused() => AssertRefused([.. Images, 9], ImageLabels, gzip: true, "goes on after offset 22");

    [Fact]
    public void Load_HeaderThatAnnouncesGigabytes_IsRefusedBeforeAllocation() =>
        AssertRefused([0, 0, 8, 3, 0, 0, 0, 2, 0x10, 0, 0, 0, 0, 0, 0, 3, 1], ImageLabels, gzip: true, "cannot unpack to more than");

    [Fact]
    public void Load_DimensionsBeyondAnArray_NamesTheOffset() =>
        AssertRefused([0, 0, 8, 3, 0x40, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 1], ImageLabels, "dimension 256 at offset 8");

    [Fact]
    public void Load_DimensionWithTheHighestBit_IsReadUnsigned() =>
        AssertRefused([0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 3, 1], ImageLabels, "dimension 4294967295 at offset 4");

    [Fact]
    public void Load_NoExamples_IsRefused() => AssertRefused([0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3], ImageLabels, "dimension 0 at offset 4");

    [Fact]
    public void Load_EmptyFile_IsRefused() => AssertRefused([], ImageLabels, "ends before");

    [Fact]
    public void Load_DamagedGzip_IsRefused() => AssertRefused([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18], ImageLabels, "gzip");

    [Fact]
    public void Load_OtherCountOfLabels_NamesBoth() =>
        AssertRefused(Images, [0, 0, 8, 1, 0, 0, 0, 1, 7], "2 examples", "1 labels");

    [Fact]
    public void Load_ShippedMnist_HasThePublishedCounts()
    {
        IdxExamples train = Mnist.Train;
        Assert.Equal((60_000, 784), (train.Count, train.FeatureLength));
        Assert.Equal([28, 28], train.ExampleShape);
        int[] counts = new int[10];
        foreach (byte label in train.Labels)
        {
            counts[label]++;
        }

        Assert.Equal([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949], counts);
        Assert.Equal(10_000, Mnist.Test.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_Slice_IsThatPartOfTheWhole(bool gzip)
    {
        byte[] pixels = [.. Enumerable.Range(0, 1000 * 100).Select(i => (byte)(i % 251))];
        string images = _folder.Write("many", Pack([0, 0, 8, 2, 0, 0, 3, 232, 0, 0, 0, 100, .. pixels], gzip));
        string labels = _folder.Write("digits", Pack([0, 0, 8, 1, 0, 0, 3, 232, .. Enumerable.Range(0, 1000).Select(i => (byte)(i % 10))], gzip));
        IdxExamples whole = IdxExamples.Load(images, labels);

        IdxExamples slice = IdxExamples.Load(images, labels, (555, 20));

        Assert.Equal(20, slice.Count);
        Assert.Equal(whole.Labels[555..575].ToArray(), slice.Labels.ToArray());
        float[] expected = new float[2000];
        float[] actual = new float[2000];
        whole.CopyTo([.. Enumerable.Range(555, 20)], expected, new long[20]);
        slice.CopyTo([.. Enumerable.Range(0, 20)], actual, new long[20]);
        Assert.Equal(expected, actual);
        Assert.Equal(1, IdxExamples.Load(images, labels, (999, 1)).Count);
        InvalidDataException beyond = Assert.Throws<InvalidDataException>(() => IdxExamples.Load(images, labels, (990, 11)));
        Assert.Contains("holds 1000 examples; the slice 990:11 ends beyond them", beyond.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SliceOfFilesOfTwoDataSets_IsRefused() =>
        Assert.Throws<InvalidDataException>(() => IdxExamples.Load(_folder.Write("images", Images), _folder.Write("labels", [0, 0, 8, 1, 0, 0, 0, 1, 7]), (0, 1)));

    private static byte[] Pack(byte[] content, bool gzip) => gzip ? Compress(content) : content;

    private IdxExamples Load(byte[] images, byte[] labels, bool gzip = false) =>
        IdxExamples.Load(_folder.Write("images", gzip ? Compress(images) : images), _folder.Write("labels", gzip ? Compress(labels) : labels));

    private void AssertRefused(byte[] images, byte[] labels, params string[] words) => AssertRefused(images, labels, gzip: false, words);

    private void AssertRefused(byte[] images, byte[] labels, bool gzip, params string[] words)
    {
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => Load(images, labels, gzip));
        Assert.All(words, word => Assert.Contains(word, refusal.Message, StringComparison.Ordinal));
        Assert.Contains(_folder.Path, refusal.Message, StringComparison.Ordinal);
    }

    private static byte[] Compress(byte[] content)
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }
}
