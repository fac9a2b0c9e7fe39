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

    // One a device and round: a device sends one update, so that what it sends anew makes the earlier one worthless.
    private readonly Dictionary<Sender, Broken> _broken = [];
    private readonly Lock _lock = new();
    private long _nextId;

    /// <summary>
    /// Goes on with a broken upload of the same content, or waits for the budget and begins a new one. A broken upload of other content by the same device for
    /// the same round is given up.
    /// </summary>
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

        await _budget.AcquireAsync((long)lengthBytes + sumBytes, ct);
        StagedUpdate update = new(Interlocked.Increment(ref _nextId), key, lengthBytes, sumBytes, _buffers, Released);
        _active[update.Id] = update;
        return update;
    }

    /// <summary>
    /// Keeps a broken upload for <see cref="StagingOptions.KeepBroken"/>, so that its sender may go on where it stopped. It takes the place of an earlier one of
    /// the same device for the same round.
    /// </summary>
    public void Park(StagedUpdate update)
    {
        _active.TryRemove(update.Id, out _);
        Broken parked = new(update);
        Broken? replaced;
        lock (_lock)
        {
            _broken.Remove(Sender.Of(update.Key), out replaced);
            _broken[Sender.Of(update.Key)] = parked;
            parked.Expiry = time.CreateTimer(_ => DropExpired(parked), null, options.Value.KeepBroken, Timeout.InfiniteTimeSpan);
        }

        replaced?.Drop();
    }

    /// <summary>Frees the broken uploads of a round that takes no more updates.</summary>
    public void DropRound(string jobId, long round)
    {
        Broken[] dropped;
        lock (_lock)
        {
            dropped = [.. _broken.Where(pair => pair.Key.Round == round && pair.Key.JobId == jobId).Select(pair => pair.Value)];
            foreach (Broken broken in dropped)
            {
                _broken.Remove(Sender.Of(broken.Update.Key));
            }
        }

        foreach (Broken broken in dropped)
        {
            broken.Drop();
        }
    }

    /// <summary>Bytes held of a broken upload; 0 when there is none.</summary>
    public long ReceivedBytes(UploadKey key)
    {
        lock (_lock)
        {
            return _broken.TryGetValue(Sender.Of(key), out Broken? broken) && broken.Update.Key == key ? broken.Update.ReceivedBytes : 0;
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
        Broken? broken;
        lock (_lock)
        {
            _broken.Remove(Sender.Of(key), out broken);
        }

        if (broken is not null && broken.Update.Key == key && broken.Update.LengthBytes == lengthBytes)
        {
            return broken.Resume();
        }

        broken?.Drop();
        return null;
    }

    /// <summary>Frees what nobody came back for.</summary>
    private void DropExpired(Broken expired)
    {
        lock (_lock)
        {
            // It may have been taken, and have broken again, while its time was running out.
            Sender sender = Sender.Of(expired.Update.Key);
            if (!ReferenceEquals(_broken.GetValueOrDefault(sender), expired))
            {
                return;
            }

            _broken.Remove(sender);
        }

        expired.Drop();
    }

    private void Released(StagedUpdate update)
    {
        _active.TryRemove(update.Id, out _);
        _budget.Release((long)update.LengthBytes + update.SumBytes);
    }

    private readonly record struct Sender(string JobId, long Round, string DeviceId)
    {
        public static Sender Of(UploadKey key) => new(key.JobId, key.Round, key.DeviceId);
    }

    /// <summary>A broken upload. Whoever takes it out of the list resumes or drops it.</summary>
    private sealed class Broken(StagedUpdate update)
    {
        public StagedUpdate Update => update;

        public ITimer? Expiry { get; set; }

        public StagedUpdate Resume()
        {
            Expiry?.Dispose();
            return update;
        }

        public void Drop() => Resume().Dispose();
    }
}
