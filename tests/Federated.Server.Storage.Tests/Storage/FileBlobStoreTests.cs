using Federated.Testing;

namespace Federated.Server.Storage.Tests.Storage;

public sealed class FileBlobStoreTests : BlobStoreConformance, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private FileBlobStore _store;

    public FileBlobStoreTests() => _store = OpenStore();

    public override IBlobStore Store => _store;

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Write_OfABlob_IsThePlainFile()
    {
        await Write("objects/ab/cdef", "content");

        Assert.Equal("content", await File.ReadAllTextAsync(Path.Combine(_folder.Path, "objects", "ab", "cdef"), Token));
        Assert.Equal(["cdef"], Directory.GetFiles(Path.Combine(_folder.Path, "objects", "ab")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Reopen_AfterARestart_KeepsContentAndETag()
    {
        string eTag = await Write("a/b", "one");

        Restart();

        Assert.Equal(eTag, (await Store.ReadAsync("a/b", Token))?.ETag);
        string next = await Write("a/b", "two", WriteCondition.IfMatch(eTag));
        Assert.NotEqual(eTag, next);
    }

    [Fact]
    public async Task Write_AfterTheClockWentBack_StillChangesTheETag()
    {
        string eTag = await Write("a", "one");
        _store.Dispose();
        _store = new FileBlobStore(_folder.Path, new FileBlobStoreOptions(), new StoppedClock(new DateTimeOffset(2001, 1, 1, 0, 0, 0, TimeSpan.Zero)));

        HashSet<string> eTags = [eTag, await Write("a", "two"), await Write("a", "six")];

        Assert.Equal(3, eTags.Count);
    }

    [Fact]
    public async Task Reopen_WithLeftoversOfAnInterruptedWrite_RemovesThemAlone()
    {
        await Write("a/b", "whole");
        string leftover = Path.Combine(_folder.Path, "a", "~8de000000000000");
        await File.WriteAllTextAsync(leftover, "half", Token);

        Restart();

        Assert.False(File.Exists(leftover));
        Assert.Equal("whole", await ReadText("a/b"));
    }

    [Fact]
    public async Task List_DuringAWrite_HidesTheTemporary()
    {
        await Write("a/b", "whole");
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "a", "~1"), "half", Token);

        List<string> names = [];
        await foreach (string name in Store.ListAsync("", Token))
        {
            names.Add(name);
        }

        Assert.Equal(["a/b"], names);
    }

    [Fact]
    public void Open_OfAFolderInUse_NamesTheFolder()
    {
        IOException e = Assert.Throws<IOException>(OpenStore);

        Assert.Contains(_folder.Path, e.Message, StringComparison.Ordinal);
        Assert.Contains("in use by another server", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_WhereAFolderOrABlobIsInTheWay_SaysWhichNameAndLeavesNothing()
    {
        await Write("a/b", "x");

        IOException folder = await Assert.ThrowsAsync<IOException>(() => Write("a", "y"));
        Assert.Contains("folder of other blobs", folder.Message, StringComparison.Ordinal);
        IOException blob = await Assert.ThrowsAsync<IOException>(() => Write("a/b/c", "y"));
        Assert.Contains("'a/b' is itself a blob", blob.Message, StringComparison.Ordinal);
        Assert.Equal(["~lock"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Write_ThatConflicts_LeavesNoTemporary()
    {
        await Write("a/b", "x");

        await Assert.ThrowsAsync<BlobConflictException>(() => Write("a/b", "y", WriteCondition.IfAbsent));
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Record.ExceptionAsync(() => Write("a/c", "y", WriteCondition.IfAbsent)).AsTask()));

        Assert.Equal(["b", "c"], Directory.GetFiles(Path.Combine(_folder.Path, "a")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task OpenRead_ThenReplaced_GoesOnWithItsVersion()
    {
        await Write("a", "old version");
        await using Stream? stream = await Store.OpenReadAsync("a", 4, Token);

        await Write("a", "new");
        await Store.DeleteAsync("a", WriteCondition.Always, Token);

        using StreamReader reader = new(stream!);
        Assert.Equal("version", await reader.ReadToEndAsync(Token));
    }

    [Fact]
    public async Task Write_WithoutFlushing_WorksTheSame()
    {
        _store.Dispose();
        _store = new FileBlobStore(_folder.Path, new FileBlobStoreOptions { FlushToDisk = false }, TimeProvider.System);

        await Write("a/b", "x");

        Assert.Equal("x", await ReadText("a/b"));
    }

    private FileBlobStore OpenStore() => new(_folder.Path, new FileBlobStoreOptions(), TimeProvider.System);

    private void Restart()
    {
        _store.Dispose();
        _store = OpenStore();
    }

    private sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
