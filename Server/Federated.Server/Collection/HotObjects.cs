using System.Collections.Concurrent;
using Federated.Server.Storage;
using Federated.Shared.Models;

namespace Federated.Server.Collection;

/// <summary>
/// Keeps the objects that a cohort downloads at the same time in memory once. Bounded: the least recently used leave when the bytes
/// exceed <see cref="CapacityBytes"/>. Thread-safe; concurrent requests for one object share one read.
/// </summary>
internal sealed class HotObjects(ContentStore content)
{
    /// <summary>Bytes kept at most, unless a single object is larger.</summary>
    public const long CapacityBytes = 64L << 20;

    private readonly ConcurrentDictionary<ContentHash, Lazy<Task<ReadOnlyMemory<byte>?>>> _reads = new();
    private readonly LinkedList<(ContentHash Hash, long Length)> _recent = new();
    private readonly Lock _lock = new();

    /// <summary>The object's bytes; null when the store does not have it.</summary>
    public async Task<ReadOnlyMemory<byte>?> FindAsync(ContentHash hash, CancellationToken ct)
    {
        Lazy<Task<ReadOnlyMemory<byte>?>> read = _reads.GetOrAdd(
            hash, static (key, store) => new Lazy<Task<ReadOnlyMemory<byte>?>>(() => store.GetAsync(key, CancellationToken.None)), content);
        ReadOnlyMemory<byte>? bytes;
        try
        {
            bytes = await read.Value.WaitAsync(ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _reads.TryRemove(hash, out _);
            throw;
        }

        if (bytes is null)
        {
            _reads.TryRemove(hash, out _);
            return null;
        }

        Touch(hash, bytes.Value.Length);
        return bytes;
    }

    /// <summary>Offers bytes that were just written, so that the first download need not read them.</summary>
    public void Offer(ContentHash hash, ReadOnlyMemory<byte> bytes)
    {
        _reads[hash] = new Lazy<Task<ReadOnlyMemory<byte>?>>(() => Task.FromResult<ReadOnlyMemory<byte>?>(bytes));
        Touch(hash, bytes.Length);
    }

    /// <summary>Lets go of an object that few will still ask for; it can be read from the store again.</summary>
    public void Drop(ContentHash hash)
    {
        lock (_lock)
        {
            _reads.TryRemove(hash, out _);
            LinkedListNode<(ContentHash Hash, long Length)>? node = _recent.First;
            while (node is not null && node.Value.Hash != hash)
            {
                node = node.Next;
            }

            if (node is not null)
            {
                _recent.Remove(node);
            }
        }
    }

    private void Touch(ContentHash hash, long length)
    {
        lock (_lock)
        {
            if (_recent.Last?.Value.Hash == hash)
            {
                return;
            }

            _recent.Remove((hash, length));
            _recent.AddLast((hash, length));
            long total = _recent.Sum(entry => entry.Length);
            while (total > CapacityBytes && _recent.Count > 1)
            {
                (ContentHash oldest, long oldestLength) = _recent.First!.Value;
                _recent.RemoveFirst();
                _reads.TryRemove(oldest, out _);
                total -= oldestLength;
            }
        }
    }
}
