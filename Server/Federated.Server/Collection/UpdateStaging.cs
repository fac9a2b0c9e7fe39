using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Federated.Server.Collection;

/// <summary>
/// Where uploads wait until they are folded. The budget is what keeps the server's memory a matter of the model's size and not of the
/// cohort's. Thread-safe.
/// </summary>
internal sealed class UpdateStaging(IOptions<StagingOptions> options, TimeProvider time)
{
    private const int LargestPooledBytes = 1 << 30;
    private const int PooledOfASize = 256;

    // Not the shared pool: that one keeps an array for every thread which ever gave one back, whatever the budget says.
    private readonly ArrayPool<byte> _buffers = ArrayPool<byte>.Create(LargestPooledBytes, PooledOfASize);
    private readonly ByteBudget _budget = new(options.Value.BudgetBytes, options.Value.HardBudgetBytes, options.Value.Patience, time);
    private readonly ConcurrentDictionary<long, StagedUpdate> _active = new();
    private readonly Dictionary<UploadKey, Broken> _broken = [];
    private readonly Lock _lock = new();
    private long _nextId;

    /// <summary>Goes on with a broken upload of the same content, or waits for the budget and begins a new one.</summary>
    /// <param name="key">Whose upload of what.</param>
    /// <param name="lengthBytes">Length of the payload.</param>
    /// <param name="sumBytes">What the update takes beyond it on its way into the sum; 0 when it is summed as it came.</param>
    /// <param name="ct">Gives up waiting.</param>
    public async Task<StagedUpdate> OpenAsync(UploadKey key, int lengthBytes, int sumBytes, CancellationToken ct)
    {
        if (TakeBroken(key, lengthBytes) is { } resumed)
        {
            _active[resumed.Id] = resumed;
            return resumed;
        }

        DropExpired();
        await _budget.AcquireAsync((long)lengthBytes + sumBytes, ct);
        StagedUpdate update = new(Interlocked.Increment(ref _nextId), key, lengthBytes, sumBytes, _buffers, Released);
        _active[update.Id] = update;
        return update;
    }

    /// <summary>Keeps a broken upload for a while, so that its sender may go on where it stopped.</summary>
    public void Park(StagedUpdate update)
    {
        _active.TryRemove(update.Id, out _);
        Broken? replaced;
        lock (_lock)
        {
            _broken.Remove(update.Key, out replaced);
            _broken[update.Key] = new Broken(update, time.GetTimestamp());
        }

        replaced?.Update.Dispose();
    }

    /// <summary>Bytes held of a broken upload; 0 when there is none.</summary>
    public long ReceivedBytes(UploadKey key)
    {
        lock (_lock)
        {
            return _broken.TryGetValue(key, out Broken? broken) ? broken.Update.ReceivedBytes : 0;
        }
    }

    /// <summary>The staged update of this name.</summary>
    /// <exception cref="InvalidOperationException">It is not in this process: the grain that folds must live where the bytes are.</exception>
    public StagedUpdate Get(long id) => Find(id) ?? throw new InvalidOperationException($"Staged update {id} is not held by this process; the device must submit again.");

    /// <summary>The staged update of this name; null when nobody waits for it any more.</summary>
    public StagedUpdate? Find(long id) => _active.GetValueOrDefault(id);

    /// <summary>Whether more updates for the round are on their way.</summary>
    public bool AnyUnderWay(string jobId, long round) =>
        _active.Values.Any(u => u.Contribution is null && u.Key.Round == round && u.Key.JobId == jobId);

    private StagedUpdate? TakeBroken(UploadKey key, int lengthBytes)
    {
        lock (_lock)
        {
            if (_broken.TryGetValue(key, out Broken? broken) && broken.Update.LengthBytes == lengthBytes)
            {
                _broken.Remove(key);
                return broken.Update;
            }

            return null;
        }
    }

    /// <summary>Frees what nobody came back for.</summary>
    private void DropExpired()
    {
        Broken[] dropped;
        lock (_lock)
        {
            dropped = [.. _broken.Values.Where(broken => time.GetElapsedTime(broken.Since) > options.Value.KeepBroken)];
            foreach (Broken broken in dropped)
            {
                _broken.Remove(broken.Update.Key);
            }
        }

        foreach (Broken broken in dropped)
        {
            broken.Update.Dispose();
        }
    }

    private void Released(StagedUpdate update)
    {
        _active.TryRemove(update.Id, out _);
        _budget.Release((long)update.LengthBytes + update.SumBytes);
    }

    private sealed record Broken(StagedUpdate Update, long Since);
}
