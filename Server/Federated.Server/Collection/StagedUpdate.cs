using System.Buffers;
using System.Security.Cryptography;
using Federated.Server.Aggregation;
using Federated.Shared.Models;

namespace Federated.Server.Collection;

/// <summary>Names one upload: who sends what for which round.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Round">The round.</param>
/// <param name="DeviceId">The device.</param>
/// <param name="Content">Hash of the payload.</param>
internal readonly record struct UploadKey(string JobId, long Round, string DeviceId, ContentHash Content);

/// <summary>
/// One upload on its way into the sum: a pooled buffer, how much of it has arrived, and the hash so far. Not thread-safe; one call
/// owns it at a time.
/// </summary>
internal sealed class StagedUpdate : IDisposable
{
    private readonly ArrayPool<byte> _pool;
    private readonly Action<StagedUpdate> _release;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[]? _buffer;
    private byte[]? _sumBuffer;

    public StagedUpdate(long id, UploadKey key, int lengthBytes, int sumBytes, ArrayPool<byte> pool, Action<StagedUpdate> release)
    {
        Id = id;
        Key = key;
        LengthBytes = lengthBytes;
        SumBytes = sumBytes;
        _pool = pool;
        _release = release;
        _buffer = pool.Rent(lengthBytes);
    }

    /// <summary>Names the staged update within the process.</summary>
    public long Id { get; }

    /// <summary>What is uploaded.</summary>
    public UploadKey Key { get; }

    /// <summary>Length of the whole payload.</summary>
    public int LengthBytes { get; }

    /// <summary>Bytes that the update takes on its way into the sum, beyond the payload; 0 when it is summed as it came.</summary>
    public int SumBytes { get; }

    /// <summary>Bytes that have arrived, without gaps.</summary>
    public int ReceivedBytes { get; private set; }

    /// <summary>The payload so far.</summary>
    public ReadOnlyMemory<byte> Payload => (_buffer ?? throw new ObjectDisposedException(nameof(StagedUpdate))).AsMemory(0, ReceivedBytes);

    /// <summary>Set when the payload has been checked: the contribution's row in the sum.</summary>
    public Contribution? Contribution { get; private set; }

    /// <summary>Set with the contribution: what is summed, inside the payload or in <see cref="SumMemory"/>.</summary>
    public ReadOnlyMemory<byte> Values { get; private set; }

    /// <summary>Set with the contribution: largest magnitude of what is summed.</summary>
    public float MaxMagnitude { get; private set; }

    /// <summary>Appends a chunk that the caller has checked to fit.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        data.CopyTo(_buffer.AsSpan(ReceivedBytes, LengthBytes - ReceivedBytes));
        _hash.AppendData(data);
        ReceivedBytes += data.Length;
    }

    /// <summary>The hash of the complete payload.</summary>
    public ContentHash FinishHash() => ContentHash.FromBytes(_hash.GetHashAndReset());

    /// <summary>Memory for what the update becomes in the sum: <see cref="SumBytes"/>, of unknown content, until the update is disposed.</summary>
    public Memory<byte> SumMemory() => (_sumBuffer ??= _pool.Rent(SumBytes)).AsMemory(0, SumBytes);

    /// <summary>Marks the payload as checked.</summary>
    public void Complete(Contribution contribution, ReadOnlyMemory<byte> values, float maxMagnitude)
    {
        Contribution = contribution;
        Values = values;
        MaxMagnitude = maxMagnitude;
    }

    /// <summary>The update as the sum takes it.</summary>
    public PendingUpdate ToPending() => new(Values, Contribution!.ExampleCount, MaxMagnitude);

    /// <summary>Returns the buffer to the pool; the row in the sum stays readable. Idempotent.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            Values = default;
            _hash.Dispose();
            _pool.Return(buffer);
            if (_sumBuffer is not null)
            {
                _pool.Return(_sumBuffer);
            }

            _release(this);
        }
    }
}
