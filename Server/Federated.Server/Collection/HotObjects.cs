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

    private readonly ConcurrentDictionary<ContentHash, TaskCompletionSource<ReadOnlyMemory<byte>?>> _reads = new();
    private readonly LinkedList<(ContentHash Hash, long Length)> _recent = new();
    private readonly Lock _lock = new();

    /// <summary>Bytes of all objects that are kept.</summary>
    public long KeptBytes
    {
        get
        {
            lock (_lock)
            {
                return _recent.Sum(entry => entry.Length);
            }
        }
    }

    /// <summary>The object's bytes; null when the store does not have it.</summary>
    public async Task<ReadOnlyMemory<byte>?> FindAsync(ContentHash hash, CancellationToken ct)
    {
        TaskCompletionSource<ReadOnlyMemory<byte>?> own = NewRead();
        TaskCompletionSource<ReadOnlyMemory<byte>?> read = _reads.GetOrAdd(hash, own);
        if (read == own)
        {
            // It belongs to everybody who waits, so nobody's leaving ends it.
            _ = ReadAsync(hash, own);
        }

        ReadOnlyMemory<byte>? bytes = await read.Task.WaitAsync(ct);
        if (bytes is { } found)
        {
            Touch(hash, read, found.Length);
        }

        return bytes;
    }

    /// <summary>Offers bytes that were just written, so that the first download need not read them.</summary>
    public void Offer(ContentHash hash, ReadOnlyMemory<byte> bytes)
    {
        TaskCompletionSource<ReadOnlyMemory<byte>?> read = NewRead();
        read.SetResult(bytes);
        _reads[hash] = read;
        Touch(hash, read, bytes.Length);
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

    private static TaskCompletionSource<ReadOnlyMemory<byte>?> NewRead() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Reads for all who wait. What was read counts from here on, whether or not somebody still waits.</summary>
    private async Task ReadAsync(ContentHash hash, TaskCompletionSource<ReadOnlyMemory<byte>?> read)
    {
        try
        {
            ReadOnlyMemory<byte>? bytes = await content.GetAsync(hash, CancellationToken.None);
            if (bytes is { } found)
            {
                Touch(hash, read, found.Length);
            }
            else
            {
                _reads.TryRemove(KeyValuePair.Create(hash, read));
            }

            read.SetResult(bytes);
        }
        catch (Exception e)
        {
            _reads.TryRemove(KeyValuePair.Create(hash, read));
            read.SetException(e);
        }
    }

    private void Touch(ContentHash hash, TaskCompletionSource<ReadOnlyMemory<byte>?> read, long length)
    {
        lock (_lock)
        {
            // What was dropped in the meantime is not in memory and must not count.
            if (_recent.Last?.Value.Hash == hash || _reads.GetValueOrDefault(hash) != read)
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
