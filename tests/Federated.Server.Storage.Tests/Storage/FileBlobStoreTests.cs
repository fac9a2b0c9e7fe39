using Federated.Server.Hosting;
using Federated.Testing;
using Microsoft.Extensions.Logging;

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

    [Fact]
    public async Task Write_UnderAUsualUmask_IsTheOwnersAlone()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        string root = Path.Combine(_folder.Path, "above", "store");
        using FileBlobStore store = new(root, new FileBlobStoreOptions(), TimeProvider.System);
        await store.WriteAsync("keys/deep/server-signing", Sequences.Of("secret"), WriteCondition.Always, Token);

        foreach (string folder in new[] { root, Path.Combine(root, "keys"), Path.Combine(root, "keys", "deep") })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        }

        foreach (string file in new[] { Path.Combine(root, "~lock"), Path.Combine(root, "keys", "deep", "server-signing") })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public void Open_FolderThatOthersMayRead_IsTakenFromThemAndSaidOnce()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        string root = Wide(UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        string link = Path.Combine(_folder.Path, "link");
        File.CreateSymbolicLink(link, root);
        Lines lines = new();
        for (int i = 0; i < 2; i++)
        {
            new FileBlobStore(link, new FileBlobStoreOptions(), TimeProvider.System, lines).Dispose();
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(root));
        Assert.Equal([(LogLevel.Information, true)], lines.Said.Select(line => (line.Level, line.Text.Contains(link, StringComparison.Ordinal))));
    }

    // As /tmp: others would lose what they have there.
    [Fact]
    public void Open_FolderThatEverybodyShares_IsLeftAsItIsAndSaid()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        UnixFileMode shared = UnixFileMode.StickyBit | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        string root = Wide(shared);
        Lines lines = new();
        new FileBlobStore(root, new FileBlobStoreOptions(), TimeProvider.System, lines).Dispose();

        Assert.True(File.GetUnixFileMode(root).HasFlag(shared));
        Assert.Equal(LogLevel.Warning, Assert.Single(lines.Said).Level);
    }

    [Fact]
    public async Task Open_PathOfAFile_IsRefusedWithTheWayOut()
    {
        string file = Path.Combine(_folder.Path, "file");
        await File.WriteAllTextAsync(file, "", Token);

        RefusedOptionsException refused = Assert.Throws<RefusedOptionsException>(() => new FileBlobStore(file, new FileBlobStoreOptions(), TimeProvider.System));

        Assert.Contains($"The storage folder '{file}' cannot be used", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--storage", refused.Message, StringComparison.Ordinal);
    }

    private string Wide(UnixFileMode others)
    {
        string root = Path.Combine(_folder.Path, "wide");
        if (!OperatingSystem.IsWindows())
        {
            // A mode of creation is cut by the umask.
            Directory.CreateDirectory(root);
            File.SetUnixFileMode(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | others);
        }

        return root;
    }

    private FileBlobStore OpenStore() => new(_folder.Path, new FileBlobStoreOptions(), TimeProvider.System);

    private void Restart()
    {
        _store.Dispose();
        _store = OpenStore();
    }

    private sealed class Lines : ILogger<FileBlobStore>
    {
        public List<(LogLevel Level, string Text)> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Said.Add((logLevel, formatter(state, exception)));
    }

    private sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
