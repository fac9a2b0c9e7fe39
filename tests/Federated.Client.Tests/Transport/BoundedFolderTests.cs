using Federated.Client.Transport;
using Federated.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Client.Tests.Transport;

public sealed class BoundedFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void MakeRoom_Full_DeletesWhatWasUsedLongestAgo()
    {
        BoundedFolder folder = new(_folder.Path, 100, _time);
        foreach (string name in new[] { "a", "b", "c" })
        {
            Use(folder, _folder.Write(name, new byte[30]));
        }

        Use(folder, PathOf("a"));

        folder.MakeRoom(PathOf("d.part"), 40);

        Assert.Equal(["a", "c"], Names());
    }

    [Fact]
    public void MakeRoom_ForAPartThatIsThere_CountsItOnce()
    {
        BoundedFolder folder = new(_folder.Path, 100, _time);
        Use(folder, _folder.Write("part", new byte[50]));
        Use(folder, _folder.Write("other", new byte[30]));

        folder.MakeRoom(PathOf("part"), 70);

        Assert.Equal(["other", "part"], Names());
    }

    [Fact]
    public void MakeRoom_LongerThanTheLimit_IsRefusedAndDeletesNothing()
    {
        BoundedFolder folder = new(_folder.Path, 100, _time);
        _folder.Write("a", new byte[30]);

        Assert.Contains("--cache-mebibytes", Assert.Throws<IOException>(() => folder.MakeRoom(PathOf("b"), 101)).Message, StringComparison.Ordinal);
        Assert.Equal(["a"], Names());
    }

    [Fact]
    public void MakeRoom_DiskThatWouldBeTooFull_IsRefusedAndDeletesNothing()
    {
        BoundedFolder folder = new(_folder.Path, 100, _time, long.MaxValue / 4);
        _folder.Write("a", new byte[30]);

        Assert.Contains("minFreeDiskMebibytes", Assert.Throws<IOException>(() => folder.MakeRoom(PathOf("b"), 10)).Message, StringComparison.Ordinal);
        folder.KeepFree();
        Assert.Equal(["a"], Names());
    }

    [Fact]
    public void KeepFree_DiskTooFull_DeletesWhatWasUsedLongestAgo()
    {
        // One file is too few to delete, two are enough.
        BoundedFolder folder = new(_folder.Path, 100, _time, leastFreeBytes: 1_030, _ => 1_000);
        foreach (string name in new[] { "a", "b", "c" })
        {
            Use(folder, _folder.Write(name, new byte[20]));
        }

        Use(folder, PathOf("a"));

        folder.KeepFree();

        Assert.Equal(["a"], Names());
    }

    [Fact]
    public async Task TransferRate_EachTransfer_WaitsForThoseBeforeIt()
    {
        TransferRate rate = new(1000, _time);

        Task first = rate.TakeAsync(500, TestContext.Current.CancellationToken).AsTask();
        Task second = rate.TakeAsync(1000, TestContext.Current.CancellationToken).AsTask();
        _time.Advance(TimeSpan.FromSeconds(0.5));
        await first;
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.False(second.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await second;

        // Time that nobody used is not saved up.
        _time.Advance(TimeSpan.FromHours(1));
        Task late = rate.TakeAsync(1000, TestContext.Current.CancellationToken).AsTask();
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.False(late.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await late;

        // Without a limit nobody waits: on this clock a wait would not end.
        await new TransferRate(0, _time).TakeAsync(long.MaxValue, TestContext.Current.CancellationToken);
    }

    public void Dispose() => _folder.Dispose();

    private void Use(BoundedFolder folder, string path)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        folder.Touch(path);
    }

    private string PathOf(string name) => Path.Combine(_folder.Path, name);

    private string[] Names() => [.. Directory.EnumerateFiles(_folder.Path).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
}
