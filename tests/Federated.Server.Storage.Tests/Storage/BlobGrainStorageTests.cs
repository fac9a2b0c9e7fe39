using System.Collections.Immutable;
using Federated.Shared.Models;
using Federated.Testing;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Federated.Server.Storage.Tests.Storage;

/// <summary>The storage alone, as Orleans calls it.</summary>
public sealed class BlobGrainStorageTests : IAsyncDisposable
{
    private static readonly GrainId _grain = GrainId.Create("job", "mnist-1");

    private readonly TemporaryFolder _folder = new();
    private readonly FileBlobStore _blobs;
    private readonly ServiceProvider _services;
    private readonly BlobGrainStorage _storage;

    public BlobGrainStorageTests()
    {
        _blobs = new FileBlobStore(_folder.Path, new FileBlobStoreOptions(), TimeProvider.System);
        _services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        _storage = new BlobGrainStorage(_blobs, _services.GetRequiredService<IActivatorProvider>());
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _blobs.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Read_OfAnAbsentState_IsTheDefaultInstance()
    {
        GrainState<Memo> state = new() { State = null!, ETag = "stale", RecordExists = true };

        await _storage.ReadStateAsync("memo", _grain, state);

        Assert.Equal("untitled", state.State.Title);
        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
    }

    [Fact]
    public async Task Read_AfterWrite_GivesTheStateBack()
    {
        Memo memo = new()
        {
            Title = "Größe <&> \"quoted\"",
            Kind = MemoKind.Final,
            Rounds = [1, 2, long.MaxValue],
            Dropped = ImmutableDictionary<string, int>.Empty.Add("battery low", 3),
            Loss = double.NaN,
            WrittenAt = new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)).AddTicks(1),
            Bytes = [0, 255],
        };
        GrainState<Memo> written = new() { State = memo };
        await _storage.WriteStateAsync("memo", _grain, written);

        GrainState<Memo> read = new();
        await _storage.ReadStateAsync("memo", _grain, read);

        Assert.True(written.RecordExists && read.RecordExists);
        Assert.Equal(written.ETag, read.ETag);
        Assert.NotNull(read.State);
        Assert.Equal(memo.Rounds, read.State.Rounds);
        Assert.Equal(memo.Dropped, read.State.Dropped);
        Assert.Equal(memo.Bytes, read.State.Bytes);
        Assert.Equal(memo, read.State with { Rounds = memo.Rounds, Dropped = memo.Dropped, Bytes = memo.Bytes });
    }

    [Fact]
    public async Task Write_OfAState_IsReadableJsonUnderItsGrain()
    {
        GrainState<Memo> state = new() { State = new Memo { Title = "t", Kind = MemoKind.Final, Rounds = [7] } };
        await _storage.WriteStateAsync("memo", _grain, state);

        string json = await File.ReadAllTextAsync(Path.Combine(_folder.Path, "grains", "memo", "job", "mnist-1.json"), Token);

        Assert.Contains("\"title\": \"t\"", json, StringComparison.Ordinal);
        Assert.Contains("\"kind\": \"Final\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_OfHashes_KeepsThemAsValuesAndKeys()
    {
        ContentHash hash = ContentHash.Of("abc"u8);
        GrainState<HashMemo> state = new() { State = new HashMemo(hash, new Dictionary<ContentHash, int> { [hash] = 2 }) };
        await _storage.WriteStateAsync("hashes", _grain, state);

        GrainState<HashMemo> read = new();
        await _storage.ReadStateAsync("hashes", _grain, read);

        Assert.NotNull(read.State);
        Assert.Equal(hash, read.State.Adapter);
        Assert.Equal(2, read.State.Counts[hash]);
    }

    [Fact]
    public async Task Write_WithAStaleETag_IsInconsistent()
    {
        GrainState<Memo> first = new() { State = new Memo { Title = "first" } };
        await _storage.WriteStateAsync("memo", _grain, first);
        GrainState<Memo> second = new();
        await _storage.ReadStateAsync("memo", _grain, second);
        await _storage.WriteStateAsync("memo", _grain, second);

        first.State = new Memo { Title = "stale" };
        string? stale = first.ETag;
        InconsistentStateException e = await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.WriteStateAsync("memo", _grain, first));

        Assert.Equal(stale, e.CurrentEtag);
        await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.ClearStateAsync("memo", _grain, first));
        await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.WriteStateAsync("memo", _grain, new GrainState<Memo>(new Memo())));
        await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.ClearStateAsync("memo", _grain, new GrainState<Memo>(new Memo())));
        await _storage.ReadStateAsync("memo", _grain, first);
        Assert.Equal("first", first.State.Title);
    }

    [Fact]
    public async Task Clear_OfAState_DeletesItAndAllowsANewOne()
    {
        GrainState<Memo> state = new() { State = new Memo { Title = "x" } };
        await _storage.WriteStateAsync("memo", _grain, state);

        await _storage.ClearStateAsync("memo", _grain, state);

        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
        Assert.Equal("untitled", state.State.Title);
        Assert.False(await _blobs.ExistsAsync("grains/memo/job/mnist-1.json", Token));
        await _storage.ClearStateAsync("memo", _grain, state);
        await _storage.WriteStateAsync("memo", _grain, state);
        Assert.True(state.RecordExists);
    }

    [Fact]
    public async Task Read_OfBrokenJson_NamesTheBlob()
    {
        await _blobs.WriteAsync("grains/memo/job/mnist-1.json", Sequences.Of("{ \"title\": 5"), WriteCondition.Always, Token);

        IOException e = await Assert.ThrowsAsync<IOException>(() => _storage.ReadStateAsync("memo", _grain, new GrainState<Memo>()));

        Assert.Contains("grains/memo/job/mnist-1.json", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Exceptions_OfTheStore_TravelBetweenSilos()
    {
        Serializer serializer = _services.GetRequiredService<Serializer>();
        BlobConflictException conflict = new("a/b", WriteCondition.IfMatch("1-2"));
        CorruptObjectException corrupt = new("objects/x", ContentHash.Of("a"u8), ContentHash.Of("b"u8));

        BlobConflictException conflictThere = Assert.IsType<BlobConflictException>(serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(conflict)));
        CorruptObjectException corruptThere = Assert.IsType<CorruptObjectException>(serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(corrupt)));

        Assert.Equal((conflict.Message, conflict.BlobName, conflict.Expected), (conflictThere.Message, conflictThere.BlobName, conflictThere.Expected));
        Assert.Equal((corrupt.Message, corrupt.Expected, corrupt.Actual), (corruptThere.Message, corruptThere.Expected, corruptThere.Actual));
    }
}
