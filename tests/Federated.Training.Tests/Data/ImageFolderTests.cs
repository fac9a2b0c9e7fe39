using Federated.Testing;
using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FolderClock _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_PngInColour_IsChannelsThenRowsThenColumns()
    {
        Write("a/1.png", ImageFiles.Png(2, 3, [255, 0, 51, 102, 0, 0, 0, 255, 0, 0, 204, 255]));

        IGrowingExamples images = Open(new ImageShape(2, 2, 3));

        Assert.Equal([1, 0.4f, 0, 0, 0, 0, 1, 0.8f, 0.2f, 0, 0, 1], Features(images, 0));
    }

    [Fact]
    public void Open_Jpeg_IsScaledByArea()
    {
        // Blocks of 8×8; one of the new pixels covers two of them.
        Write("a/1.JPG", ImageFiles.Jpeg(4, [0, 100, 255, 255, 40, 60, 1, 3]));

        IGrowingExamples images = Open(new ImageShape(2, 2, 1));

        Assert.Equal([50 / 255f, 1, 50 / 255f, 2 / 255f], Features(images, 0));
    }

    [Fact]
    public void Open_OtherSizes_CoverInProportion()
    {
        Write("a/1.png", ImageFiles.Png(3, 1, [0, 90, 240]));

        Assert.Equal([30 / 255f, 190 / 255f], Features(Open(new ImageShape(1, 2, 1)), 0));
        Assert.Equal([0, 60 / 255f, 140 / 255f, 240 / 255f], Features(Open(new ImageShape(1, 4, 1)), 0));
    }

    [Fact]
    public void Open_Classes_AreTheSubFoldersInOrdinalOrder()
    {
        Write("b/1.png", Grey(3));
        Write("B/1.png", Grey(2));
        Write("a/2.png", Grey(5));
        Write("a/1.png", Grey(4));
        Write("a/1.txt", [1]);

        Assert.Equal([(2, 0), (4, 1), (5, 1), (3, 2)], Content(Open()));

        string classes = _folder.Write("classes.txt", "b\nnone\r\na\n"u8.ToArray());
        IGrowingExamples named = ImageFolder.Open(_folder.Path, classes, new ImageShape(1, 1, 1), _clock);
        Assert.Equal([(3, 0), (4, 2), (5, 2)], Content(named));
        Assert.Equal(1, named.Report.UnknownFolders);
    }

    [Fact]
    public void Open_Damaged_IsCountedAndNothingMore()
    {
        byte[] png = ImageFiles.Png(8, 1, [.. Enumerable.Range(0, 64).Select(i => (byte)(i * 37 % 256))]);
        byte[] jpeg = ImageFiles.Jpeg(2, [9, 200]);
        Write("a/cut.png", png[..^30]);
        Write("a/cut.jpg", jpeg[..^4]);
        Write("a/other.png", "GIF89a and so on"u8.ToArray());
        Write("a/empty.jpeg", []);
        Write("a/whole.jpg", jpeg);

        IGrowingExamples images = Open();

        Assert.Equal(new FolderReport(1) { Undecodable = 4 }, images.Report);
        Assert.Equal("1 files taken, 4 cannot be decoded", images.Report.ToString());
        Assert.True(images.Report.HasProblems);
    }

    // Packed zeros are a thousand times as long once they are unpacked; some writers leave a few.
    [Fact]
    public void Open_RowsBeyondTheHeader_AreTooLargeUnlessTheyAreFew()
    {
        Write("a/many.png", ImageFiles.Png(1, 1, [7], padding: 64 << 20));
        Write("a/few.png", ImageFiles.Png(1, 1, [9], padding: 1000));

        IGrowingExamples images = Open();

        Assert.Equal(new FolderReport(1) { TooLarge = 1 }, images.Report);
        Assert.Equal([(9, 0)], Content(images));
    }

    // As the format allows, and as the check of the rows must follow: the packed rows in several chunks, others between the header and them.
    [Fact]
    public void Open_PngInSeveralChunks_IsTaken()
    {
        byte[] png = ImageFiles.Png(1, 1, [42]);
        int rows = png.AsSpan().IndexOf("IDAT"u8);
        int length = png[rows - 1];
        byte[] packed = png[(rows + 4)..(rows + 4 + length)];
        Write("a/1.png", [.. png[..(rows - 4)], .. Chunk("tEXt", [1, 0, 2]), .. Chunk("IDAT", packed[..3]), .. Chunk("IDAT", packed[3..]), .. png[(rows + 8 + length)..]]);

        Assert.Equal([(42, 0)], Content(Open()));

        // The decoder does not look at a chunk's check sum.
        static byte[] Chunk(string name, byte[] content) => [0, 0, 0, (byte)content.Length, .. System.Text.Encoding.ASCII.GetBytes(name), .. content, 0, 0, 0, 0];
    }

    [Fact]
    public void Open_AnyCutOrChangedByte_NeverThrows()
    {
        byte[][] files = [ImageFiles.Png(4, 3, [.. Enumerable.Range(0, 48).Select(i => (byte)(i * 5))]), ImageFiles.Jpeg(2, [9, 200])];
        int number = 0;
        foreach (byte[] file in files)
        {
            for (int i = 0; i < file.Length; i++)
            {
                byte[] changed = [.. file];
                changed[i] ^= 0x55;
                Write($"a/{number++}{(file == files[0] ? ".png" : ".jpg")}", changed);
            }
        }

        FolderReport report = Open().Report;

        Assert.Equal(number, report.Taken + report.Undecodable + report.TooLarge);
        Assert.True(report.Undecodable > 0);
    }

    [Fact]
    public void Refresh_FileStillBeingWritten_IsTakenLater()
    {
        Write("a/1.png", Grey(1));
        IGrowingExamples images = Open();
        byte[] whole = Grey(2);
        _clock.Write(_folder.Path, "a/2.png", whole[..20]);

        Assert.False(images.Refresh());
        Assert.Equal(new FolderReport(1) { Waiting = 1 }, images.Report);

        _clock.Settle();
        Assert.True(images.Refresh());
        Assert.Equal(new FolderReport(1) { Undecodable = 1 }, images.Report);

        _clock.Write(_folder.Path, "a/2.png", whole);
        _clock.Settle();
        Assert.True(images.Refresh());
        Assert.Equal((new FolderReport(2), 2), (images.Report, images.Examples.Count));
    }

    [Fact]
    public void Refresh_UnchangedFolder_OpensNoFile()
    {
        string path = Write("a/1.png", Grey(1));
        IGrowingExamples images = Open();
        IExampleSource before = images.Examples;

        // Same length and time: only a file that is read would show the difference.
        File.WriteAllBytes(path, Grey(9));
        File.SetLastWriteTimeUtc(path, _clock.Now.UtcDateTime - TimeSpan.FromSeconds(10));

        Assert.False(images.Refresh());
        Assert.Same(before, images.Examples);
    }

    [Fact]
    public void Refresh_AddedRemovedAndChanged_KeepsClassesAndOldExamples()
    {
        Write("a/1.png", Grey(1));
        string gone = Write("c/1.png", Grey(3));
        IGrowingExamples images = Open();
        IExampleSource before = images.Examples;
        File.Delete(gone);
        Write("a/1.png", Grey(7));
        Write("b/1.png", Grey(2));
        Write("c/2.png", Grey(4));

        Assert.True(images.Refresh());

        Assert.Equal([(7, 0), (4, 1)], Content(images));
        Assert.Equal(1, images.Report.UnknownFolders);
        Assert.Equal(2, before.Count);
    }

    [Fact]
    public void Open_Wrong_SaysWhat()
    {
        Assert.Contains("names no class", Assert.Throws<InvalidDataException>(() => Open()).Message, StringComparison.Ordinal);
        Assert.Throws<DirectoryNotFoundException>(() => ImageFolder.Open(_folder.Path + "x", null, new ImageShape(1, 1, 1), _clock));
        string classes = _folder.Write("classes.txt", "a\nb\na\n"u8.ToArray());
        InvalidDataException twice = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, classes, new ImageShape(1, 1, 1), _clock));
        Assert.Contains("the class 'a'", twice.Message, StringComparison.Ordinal);
    }

    private static byte[] Grey(byte value) => ImageFiles.Png(1, 1, [value]);

    private static float[] Features(IGrowingExamples images, int index)
    {
        float[] features = new float[images.Examples.Format.FeatureLength];
        images.Examples.CopyTo([index], features, new long[1]);
        return features;
    }

    private static IEnumerable<(int Value, int Label)> Content(IGrowingExamples images)
    {
        int count = images.Examples.Count;
        float[] features = new float[count];
        long[] labels = new long[count];
        images.Examples.CopyTo([.. Enumerable.Range(0, count)], features, labels);
        return features.Zip(labels, (feature, label) => ((int)Math.Round(feature * 255), (int)label));
    }

    private IGrowingExamples Open(ImageShape? shape = null) => ImageFolder.Open(_folder.Path, null, shape ?? new ImageShape(1, 1, 1), _clock);

    private string Write(string name, byte[] content)
    {
        string path = _clock.Write(_folder.Path, name, content);
        _clock.Settle();
        return path;
    }
}
