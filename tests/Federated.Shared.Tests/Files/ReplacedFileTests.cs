using Federated.Shared.Files;
using Federated.Testing;

namespace Federated.Shared.Tests.Files;

public sealed class ReplacedFileTests
{
    [Fact]
    public async Task Prepare_FolderThatIsNotThere_MakesItAndNothingElse()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "bases", "new", "x.safetensors");

        ReplacedFile.Prepare(path);

        Assert.Empty(Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!));
        await ReplacedFile.WriteOpenAsync(path, new byte[] { 1 }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task WriteOpenAsync_Cancelled_LeavesTheEarlierFileAndNothingElse()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("x.json", [1]);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReplacedFile.WriteOpenAsync(path, new byte[] { 2 }, new CancellationToken(canceled: true)));

        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
        Assert.Equal([1], File.ReadAllBytes(path));
    }

    [Fact]
    public void Prepare_FileThatIsThere_KeepsIt()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("x.safetensors", [1, 2, 3]);
        ReplacedFile.Prepare(path);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
    }

    [Fact]
    public void Prepare_AFolderOrAFileInTheWay_IsRefused()
    {
        using TemporaryFolder folder = new();
        Assert.Throws<IOException>(() => ReplacedFile.Prepare(folder.Path));
        Assert.Throws<IOException>(() => ReplacedFile.Prepare(Path.Combine(folder.Write("file", []), "x.safetensors")));
    }
}
