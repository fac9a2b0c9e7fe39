using Federated.Shared.Models;

namespace Federated.Server.Storage;

/// <summary>
/// Hands out addresses under which devices read objects straight from the store, if the operator wants that. It knows the objects of
/// <see cref="ContentStore"/> and nothing else that lies in the store. Thread-safe.
/// </summary>
internal sealed class ObjectAddresses(IBlobStore blobs, StorageOptions options, TimeProvider time)
{
    /// <summary>What is shorter is not worth a connection of its own.</summary>
    public const long LeastBytes = 256 * 1024;

    private readonly IAddressableBlobs? _addressable = options.DirectDownloadMinutes > 0 ? blobs as IAddressableBlobs : null;

    /// <summary>Where the rest of an object can be read.</summary>
    /// <param name="hash">The object.</param>
    /// <param name="offset">First byte wanted.</param>
    /// <param name="ct">Gives up.</param>
    /// <returns>Null when addresses are off, there is no such object, less than <see cref="LeastBytes"/> of it is wanted, or the store does not answer.</returns>
    public async Task<ObjectAddress?> FindAsync(ContentHash hash, ulong offset, CancellationToken ct)
    {
        if (_addressable is null)
        {
            return null;
        }

        string name = ContentStore.BlobName(hash);
        try
        {
            return await blobs.LengthAsync(name, ct) is { } length && offset < (ulong)length && (ulong)length - offset >= LeastBytes
                ? new ObjectAddress(_addressable.ReadAddress(name, time.GetUtcNow() + TimeSpan.FromMinutes(options.DirectDownloadMinutes)), length)
                : null;
        }
        catch (IOException)
        {
            // The object may be in memory, and if it is not, whoever reads it says what is wrong.
            return null;
        }
    }
}
