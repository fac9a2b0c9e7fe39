using System.Buffers;
using Federated.Server.Storage;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.Hosting;

/// <summary>
/// The key that the server signs group headers with, drawn when it is first needed and kept in the store, so that devices know it again after a
/// restart. Thread-safe.
/// </summary>
internal sealed class ServerKey(IBlobStore blobs) : IDisposable
{
    private const string BlobName = "keys/server-signing";

    private readonly SemaphoreSlim _gate = new(1);
    private DeviceSigningKey? _key;

    /// <summary>The key; stays this object's.</summary>
    public async Task<DeviceSigningKey> GetAsync(CancellationToken ct)
    {
        if (Volatile.Read(ref _key) is { } known)
        {
            return known;
        }

        await _gate.WaitAsync(ct);
        try
        {
            DeviceSigningKey key = _key ?? (await blobs.ReadAsync(BlobName, ct) is { } blob
                ? DeviceSigningKey.FromPkcs8(blob.Content.Span)
                : await CreateAsync(ct));
            Volatile.Write(ref _key, key);
            return key;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _key?.Dispose();
        _gate.Dispose();
    }

    private async Task<DeviceSigningKey> CreateAsync(CancellationToken ct)
    {
        DeviceSigningKey key = DeviceSigningKey.Create();
        await blobs.WriteAsync(BlobName, new ReadOnlySequence<byte>(key.ToPkcs8()), WriteCondition.Always, ct);
        return key;
    }
}
