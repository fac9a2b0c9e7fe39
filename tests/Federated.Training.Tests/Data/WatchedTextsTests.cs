using Federated.Testing;
using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class WatchedTextsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FolderClock _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Refresh_TextAdded_IsReadWhenNobodyWrites()
    {
        _clock.Write(_folder.Path, "a.txt", "abc"u8.ToArray());
        _clock.Settle();
        WatchedTexts texts = new(_folder.Path, 2, _clock);
        IExampleSource before = texts.Examples;
        Assert.False(texts.Refresh());

        _clock.Write(_folder.Path, "b.txt", "defgh"u8.ToArray());
        Assert.False(texts.Refresh());
        Assert.Equal(new FolderReport(1) { Waiting = 1 }, texts.Report);
        _clock.Settle();
        Assert.True(texts.Refresh());

        Assert.Equal((1, 3, new FolderReport(2)), (before.Count, texts.Examples.Count, texts.Report));
        Assert.False(texts.Refresh());
    }

    [Fact]
    public void Refresh_NotUtf8_IsLeftOutAndCounted()
    {
        _clock.Write(_folder.Path, "a.txt", "abc"u8.ToArray());
        _clock.Settle();
        WatchedTexts texts = new(_folder.Path, 2, _clock);
        _clock.Write(_folder.Path, "b.txt", [0xff, 0xff]);
        _clock.Settle();

        Assert.True(texts.Refresh());

        Assert.Equal((1, new FolderReport(1) { Undecodable = 1 }), (texts.Examples.Count, texts.Report));
        Assert.False(texts.Refresh());

        // What does not end a device while it runs does not keep it from starting either.
        WatchedTexts again = new(_folder.Path, 2, _clock);
        Assert.Equal((1, new FolderReport(1) { Undecodable = 1 }), (again.Examples.Count, again.Report));
    }

    // Another program holds it; that it lets go changes neither length nor time.
    [Fact]
    public void Refresh_FileThatCannotBeOpened_IsLeftOutAndTriedAgain()
    {
        _clock.Write(_folder.Path, "a.txt", "abc"u8.ToArray());
        string path = _clock.Write(_folder.Path, "b.txt", "defgh"u8.ToArray());
        _clock.Settle();
        WatchedTexts texts;
        using (File.Open(path, FileMode.Open, FileAccess.Read, FileShare.None))
        {
            texts = new WatchedTexts(_folder.Path, 2, _clock);
            Assert.Equal((1, new FolderReport(1) { Unreadable = 1 }), (texts.Examples.Count, texts.Report));
            Assert.False(texts.Refresh());
        }

        Assert.True(texts.Refresh());

        Assert.Equal((3, new FolderReport(2)), (texts.Examples.Count, texts.Report));
        Assert.False(texts.Refresh());
    }

    [Fact]
    public void Refresh_HiddenFile_IsNotTrainedOn()
    {
        _clock.Write(_folder.Path, "a.txt", "abc"u8.ToArray());
        _clock.Write(_folder.Path, ".b.txt", "defgh"u8.ToArray());
        _clock.Settle();
        WatchedTexts texts = new(_folder.Path, 2, _clock);

        Assert.Equal((1, new FolderReport(1)), (texts.Examples.Count, texts.Report));
        Assert.False(texts.Refresh());
    }

    [Fact]
    public void Refresh_LastTextTakenAway_TrainsOnNothing()
    {
        string path = _clock.Write(_folder.Path, "a.txt", "abc"u8.ToArray());
        _clock.Settle();
        WatchedTexts texts = new(_folder.Path, 2, _clock);
        File.Delete(path);

        Assert.True(texts.Refresh());

        Assert.Equal((0, new FolderReport(0)), (texts.Examples.Count, texts.Report));
    }

    [Fact]
    public void Open_NoTextCanBeRead_IsRefused()
    {
        _clock.Write(_folder.Path, "a.txt", [0xff, 0xff]);
        _clock.Settle();
        Assert.Contains("UTF-8", Assert.Throws<InvalidDataException>(() => new WatchedTexts(_folder.Path, 2, _clock)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refresh_FreshWhenOpened_IsReadAgain()
    {
        string path = _clock.Write(_folder.Path, "a.txt", "abc"u8.ToArray());
        WatchedTexts texts = new(_folder.Path, 2, _clock);

        // Within the same tick of the file system.
        File.WriteAllBytes(path, "xyz"u8.ToArray());
        File.SetLastWriteTimeUtc(path, _clock.Now.UtcDateTime);
        _clock.Settle();

        Assert.True(texts.Refresh());
        float[] none = [];
        long[] tokens = new long[2];
        texts.Examples.CopyTo([0], new ExampleBatch(none, tokens, new long[2], []));
        Assert.Equal(['x', 'y'], tokens.Select(token => (char)token));
    }
}
