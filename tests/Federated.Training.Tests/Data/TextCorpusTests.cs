using System.IO.Compression;
using System.Text;
using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class TextCorpusTests : IDisposable
{
    private static readonly (string Author, string Name, string Text)[] _texts =
    [
        ("taft", "1909", "first of Taft"), ("taft", "1910", "second"), ("taft", "1911", "third of them"),
        ("harding", "1921", "a"), ("harding", "1922", "two words"), ("garfield", "1881", "alone"),
    ];

    private static readonly (string Author, string Name, string Text)[] _hidden =
    [
        ("taft", "1909", "first of Taft"), ("taft", ".1910", "a draft"), ("taft", "._1909", "a companion"), (".trash", "1911", "thrown away"),
    ];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("federated-corpus-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_ZipOrFolder_GivesAuthorsAndDocumentsInOrder(bool zip)
    {
        TextCorpus corpus = TextCorpus.Load(zip ? Zip() : Folder());

        Assert.Equal(
            ["garfield/1881", "harding/1921", "harding/1922", "taft/1909", "taft/1910", "taft/1911"],
            corpus.Documents.Select(d => $"{d.Author}/{d.Name}"));
        Assert.Equal("two words", Encoding.UTF8.GetString(corpus.Documents[2].Text.Span));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_HiddenFilesAndFolders_LeavesThemOut(bool zip)
    {
        TextCorpus corpus = TextCorpus.Load(zip ? Zip(_hidden) : Folder(_hidden));

        Assert.Equal(["taft/1909"], corpus.Documents.Select(d => $"{d.Author}/{d.Name}"));
    }

    [Theory]
    [InlineData(null, null, CorpusPart.All, "garfield/1881 harding/1921 harding/1922 taft/1909 taft/1910 taft/1911")]
    [InlineData("1901", null, CorpusPart.Last, "harding/1922 taft/1911")]
    [InlineData("1901", null, CorpusPart.AllButLast, "harding/1921 taft/1909 taft/1910")]
    [InlineData(null, "1910", CorpusPart.Last, "taft/1910")]
    [InlineData("1910", "1921", CorpusPart.All, "harding/1921 taft/1910 taft/1911")]
    public void Select_RangeAndPart_GivesThose(string? from, string? to, CorpusPart part, string expected) =>
        Assert.Equal(expected, string.Join(' ', TextCorpus.Load(Folder()).Select(from, to, part).Select(d => $"{d.Author}/{d.Name}")));

    [Fact]
    public void Select_HeldOutAndTrained_HaveTheSameAuthorsAndNoDocumentInCommon()
    {
        TextCorpus corpus = TextCorpus.Load(Folder());
        IReadOnlyList<CorpusDocument> trained = corpus.Select(null, null, CorpusPart.AllButLast);
        IReadOnlyList<CorpusDocument> heldOut = corpus.Select(null, null, CorpusPart.Last);
        Assert.Equal(trained.Select(d => d.Author).Distinct(), heldOut.Select(d => d.Author));
        Assert.Empty(trained.Intersect(heldOut));
    }

    [Fact]
    public void Select_NothingInRange_IsRefusedWithTheRangeThereIs() => Assert.Contains(
        "names go from '1881' to '1922'", Assert.Throws<InvalidDataException>(() => TextCorpus.Load(Folder()).Select("1950", null, CorpusPart.All)).Message, StringComparison.Ordinal);

    [Fact]
    public void Load_NoTexts_IsRefused() =>
        Assert.Contains("holds no .txt files", Assert.Throws<InvalidDataException>(() => TextCorpus.Load(_folder.FullName)).Message, StringComparison.Ordinal);

    [Fact]
    public void Load_NoZipFile_IsRefused()
    {
        string file = Path.Combine(_folder.FullName, "corpus.zip");
        File.WriteAllText(file, "this is no archive");
        Assert.Throws<InvalidDataException>(() => TextCorpus.Load(file));
    }

    [Fact]
    public void Load_ArchiveThatUnpacksBeyondTheLimit_IsRefused()
    {
        // 17 MB of zeros are 17 KB in the archive.
        string file = Path.Combine(_folder.FullName, "bomb.zip");
        using (ZipArchive archive = ZipFile.Open(file, ZipArchiveMode.Create))
        {
            using Stream entry = archive.CreateEntry("author/1900.txt").Open();
            entry.Write(new byte[TextFolder.MaxFileBytes + 1]);
        }

        Assert.Contains("goes beyond the limits", Assert.Throws<InvalidDataException>(() => TextCorpus.Load(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Examples_OfDocuments_AreThoseOfTheirAuthors()
    {
        CorpusExamples examples = CorpusExamples.Of(TextCorpus.Load(Folder()).Documents, 4);

        Assert.Equal(["garfield", "harding", "taft"], examples.Authors);
        Assert.Equal(examples.Examples.Count, examples.Parts.Sum(part => part.Length));
        long[] tokens = new long[4];
        long[] labels = new long[4];
        foreach ((int[] part, string expected) in examples.Parts.Zip(["alon", "two ", "firs"]))
        {
            examples.Examples.CopyTo([part[0]], new ExampleBatch([], tokens, labels, []));
            Assert.Equal(expected, string.Concat(tokens.Select(token => (char)token)));
        }
    }

    private string Folder((string Author, string Name, string Text)[]? texts = null)
    {
        foreach ((string author, string name, string text) in texts ?? _texts)
        {
            string folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, "texts", author)).FullName;
            File.WriteAllText(Path.Combine(folder, $"{name}.txt"), text);
        }

        return Path.Combine(_folder.FullName, "texts");
    }

    private string Zip((string Author, string Name, string Text)[]? texts = null)
    {
        string file = Path.Combine(_folder.FullName, "texts.zip");
        using ZipArchive archive = ZipFile.Open(file, ZipArchiveMode.Create);
        foreach ((string author, string name, string text) in texts ?? _texts)
        {
            using StreamWriter entry = new(archive.CreateEntry($"all/{author}/{name}.txt").Open());
            entry.Write(text);
        }

        return file;
    }
}
