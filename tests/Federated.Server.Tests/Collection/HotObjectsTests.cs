using System.Buffers;
using Federated.Server.Collection;
using Federated.Server.Storage;
using Federated.Shared.Models;
using Federated.Testing;

namespace Federated.Server.Tests.Collection;

public sealed class HotObjectsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FileBlobStore _files;
    private readonly GatedBlobs _blobs;
    private readonly ContentStore _content;
    private readonly HotObjects _hot;

    public HotObjectsTests()
    {
        _files = new FileBlobStore(_folder.Path, new FileBlobStoreOptions { FlushToDisk = false }, TimeProvider.System);
        _blobs = new GatedBlobs(_files);
        _content = new ContentStore(_blobs);
        _hot = new HotObjects(_content);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _files.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task FindAsync_TwiceAtOnceAndAgain_ReadsOnce()
    {
        ContentHash hash = await _content.PutAsync(new byte[] { 1, 2, 3 }, Stop);
        Task<ReadOnlyMemory<byte>?> first = _hot.FindAsync(hash, Stop);
        Task<ReadOnlyMemory<byte>?> second = _hot.FindAsync(hash, Stop);
        _blobs.Gate.SetResult();

        Assert.Equal([1, 2, 3], (await first)!.Value.ToArray());
        Assert.Equal([1, 2, 3], (await second)!.Value.ToArray());
        Assert.Equal([1, 2, 3], (await _hot.FindAsync(hash, Stop))!.Value.ToArray());
        Assert.Equal(1, _blobs.Reads);
    }

    [Fact]
    public async Task FindAsync_OnlyReaderGoes_TheObjectCountsAndLeavesWhenOthersNeedTheRoom()
    {
        ContentHash hash = await _content.PutAsync(new byte[] { 1, 2, 3 }, Stop);
        using CancellationTokenSource gone = new();
        Task<ReadOnlyMemory<byte>?> first = _hot.FindAsync(hash, gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        _blobs.Gate.SetResult();
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (_hot.KeptBytes != 3)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, patience.Token);
        }

        // The second of these needs the room of what is oldest.
        byte[] half = new byte[(HotObjects.CapacityBytes / 2) + 1];
        _hot.Offer(ContentHash.Of([1]), half);
        _hot.Offer(ContentHash.Of([2]), half);
        Assert.Equal([1, 2, 3], (await _hot.FindAsync(hash, Stop))!.Value.ToArray());

        Assert.Equal(2, _blobs.Reads);
    }

    [Fact]
    public async Task FindAsync_ReadThatFailed_IsTriedAgain()
    {
        ContentHash hash = await _content.PutAsync(new byte[] { 1, 2, 3 }, Stop);
        _blobs.Gate.SetException(new IOException("The disk is away."));
        await Assert.ThrowsAsync<IOException>(() => _hot.FindAsync(hash, Stop));
        _blobs.Gate = new TaskCompletionSource();
        _blobs.Gate.SetResult();

        Assert.NotNull(await _hot.FindAsync(hash, Stop));
    }

    [Fact]
    public async Task FindAsync_ObjectThatCameLater_IsFound()
    {
        _blobs.Gate.SetResult();
        byte[] bytes = [1, 2, 3];
        Assert.Null(await _hot.FindAsync(ContentHash.Of(bytes), Stop));

        ContentHash hash = await _content.PutAsync(bytes, Stop);

        Assert.NotNull(await _hot.FindAsync(hash, Stop));
    }

    /// <summary>A store whose reads wait for the test, which counts them.</summary>
    private sealed class GatedBlobs(IBlobStore store) : IBlobStore
    {
        public TaskCompletionSource Gate { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Reads { get; private set; }

        public Task<Blob?> ReadAsync(string name, CancellationToken cancellationToken)
        {
            Reads++;
            return ReadBehindGateAsync(name, cancellationToken);
        }

        public Task<Stream?> OpenReadAsync(string name, long offset, CancellationToken cancellationToken) => store.OpenReadAsync(name, offset, cancellationToken);

        public Task<string> WriteAsync(string name, ReadOnlySequence<byte> content, WriteCondition condition, CancellationToken cancellationToken) =>
            store.WriteAsync(name, content, condition, cancellationToken);

        public Task<bool> DeleteAsync(string name, WriteCondition condition, CancellationToken cancellationToken) => store.DeleteAsync(name, condition, cancellationToken);

        public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken) => store.ListAsync(prefix, cancellationToken);

        public Task<long?> LengthAsync(string name, CancellationToken cancellationToken) => store.LengthAsync(name, cancellationToken);

        public Task<bool> ExistsAsync(string name, CancellationToken cancellationToken) => store.ExistsAsync(name, cancellationToken);

        private async Task<Blob?> ReadBehindGateAsync(string name, CancellationToken cancellationToken)
        {
            await Gate.Task;
            return await store.ReadAsync(name, cancellationToken);
        }
    }
}
