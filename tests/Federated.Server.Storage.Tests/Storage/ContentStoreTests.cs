using Federated.Shared.Models;
using Federated.Testing;

namespace Federated.Server.Storage.Tests.Storage;

public sealed class ContentStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FileBlobStore _blobs;
    private readonly ContentStore _objects;

    public ContentStoreTests()
    {
        _blobs = new FileBlobStore(_folder.Path, new FileBlobStoreOptions(), TimeProvider.System);
        _objects = new ContentStore(_blobs);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _blobs.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Put_OfContent_StoresItUnderItsHash()
    {
        ContentHash hash = await _objects.PutAsync("abc"u8.ToArray(), Token);

        Assert.Equal(ContentHash.Of("abc"u8), hash);
        Assert.True(await _blobs.ExistsAsync("objects/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Token));
        Assert.Equal("abc"u8.ToArray(), (await _objects.GetAsync(hash, Token))!.Value.ToArray());
        Assert.Equal(3, await _objects.LengthAsync(hash, Token));
        await using Stream? stream = await _objects.OpenReadAsync(hash, 2, Token);
        Assert.Equal('c', stream!.ReadByte());
    }

    [Fact]
    public async Task Put_OfTheSameContent_DoesNotWriteAgain()
    {
        ContentHash hash = await _objects.PutAsync("abc"u8.ToArray(), Token);
        string? before = (await _blobs.ReadAsync(ContentStore.BlobName(hash), Token))?.ETag;

        await _objects.PutAsync("abc"u8.ToArray(), Token);

        Assert.Equal(before, (await _blobs.ReadAsync(ContentStore.BlobName(hash), Token))?.ETag);
    }

    [Fact]
    public async Task Release_OfOneOfTwoHolders_KeepsTheObjectForTheOther()
    {
        ContentHash hash = await _objects.PutAsync("abc"u8.ToArray(), "job-a", Token);
        await _objects.PutAsync("abc"u8.ToArray(), "job-ab", Token);

        Assert.False(await _objects.ReleaseAsync(hash, "job-a", Token));
        Assert.False(await _objects.ReleaseAsync(hash, "job-a", Token));
        Assert.NotNull(await _objects.GetAsync(hash, Token));

        Assert.True(await _objects.ReleaseAsync(hash, "job-ab", Token));
        Assert.Null(await _objects.GetAsync(hash, Token));
    }

    [Fact]
    public async Task Release_OfAnObjectStoredForGood_KeepsIt()
    {
        ContentHash hash = await _objects.PutAsync("abc"u8.ToArray(), "job-a", Token);
        await _objects.PutAsync("abc"u8.ToArray(), Token);

        Assert.False(await _objects.ReleaseAsync(hash, "job-a", Token));

        Assert.NotNull(await _objects.GetAsync(hash, Token));
    }

    [Fact]
    public async Task PutAndRelease_FromManyThreads_NeverLosesWhatIsHeld()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 8), Token, async (i, ct) =>
        {
            for (int round = 0; round < 20; round++)
            {
                ContentHash hash = await _objects.PutAsync("abc"u8.ToArray(), $"job-{i}", ct);
                Assert.NotNull(await _objects.GetAsync(hash, ct));
                await _objects.ReleaseAsync(hash, $"job-{i}", ct);
            }
        });

        Assert.Null(await _objects.LengthAsync(ContentHash.Of("abc"u8), Token));
    }

    [Fact]
    public async Task Get_OfAnAbsentObject_IsNull()
    {
        ContentHash hash = ContentHash.Of("never stored"u8);
        Assert.Null(await _objects.GetAsync(hash, Token));
        Assert.Null(await _objects.LengthAsync(hash, Token));
        Assert.Null(await _objects.OpenReadAsync(hash, 0, Token));
    }

    [Fact]
    public async Task Get_OfCorruptBytes_NamesBothHashes()
    {
        ContentHash hash = await _objects.PutAsync("abc"u8.ToArray(), Token);
        await _blobs.WriteAsync(ContentStore.BlobName(hash), Sequences.Of("abd"), WriteCondition.Always, Token);

        CorruptObjectException e = await Assert.ThrowsAsync<CorruptObjectException>(() => _objects.GetAsync(hash, Token));

        Assert.Equal(hash, e.Expected);
        Assert.Equal(ContentHash.Of("abd"u8), e.Actual);
    }

    [Fact]
    public async Task Put_OverATruncatedObject_RepairsIt()
    {
        ContentHash hash = await _objects.PutAsync("abc"u8.ToArray(), Token);
        await _blobs.WriteAsync(ContentStore.BlobName(hash), Sequences.Of("ab"), WriteCondition.Always, Token);

        await _objects.PutAsync("abc"u8.ToArray(), Token);

        Assert.NotNull(await _objects.GetAsync(hash, Token));
    }
}
