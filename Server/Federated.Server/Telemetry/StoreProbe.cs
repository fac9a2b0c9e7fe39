using System.Buffers;
using Federated.Server.Storage;

namespace Federated.Server.Telemetry;

/// <summary>Tries whether the store takes writes: reads go well on a full disk, and with a key that may only read. Thread-safe.</summary>
internal sealed class StoreProbe(IBlobStore blobs, TimeProvider time)
{
    /// <summary>The blob that is written.</summary>
    public const string BlobName = "health/probe";

    // A block: some file systems keep less beside the name, where a full disk has room.
    private const int ProbeBytes = 4096;

    /// <summary>How long a result is told before the store is tried again: each try is a flush of a disk, or a request that costs money.</summary>
    public static readonly TimeSpan Holds = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private Task? _last;
    private long _triedAt;

    /// <summary>Returns when the store took a small write not long ago.</summary>
    /// <exception cref="IOException">It did not take it.</exception>
    /// <exception cref="OperationCanceledException">The caller waits no longer; the try goes on for those who ask next.</exception>
    public Task DemandAsync(CancellationToken ct)
    {
        Task last;
        lock (_lock)
        {
            // One at a time: a store that hangs is not given more to do.
            if (_last is null || (_last.IsCompleted && time.GetElapsedTime(_triedAt) >= Holds))
            {
                _triedAt = time.GetTimestamp();
                _last = TryAsync();
            }

            last = _last;
        }

        return last.WaitAsync(ct);
    }

    private async Task TryAsync() =>
        await blobs.WriteAsync(BlobName, new ReadOnlySequence<byte>(new byte[ProbeBytes]), WriteCondition.Always, CancellationToken.None);
}
