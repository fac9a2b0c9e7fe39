using System.Buffers;
using Federated.Shared.Models;

namespace Federated.Server.Storage;

/// <summary>
/// Immutable objects named by their SHA-256, in <paramref name="blobs"/> under <c>objects/ab/cdef…</c>. Storing the same bytes twice
/// stores them once. Safe for use by many threads at once.
/// </summary>
public sealed class ContentStore(IBlobStore blobs)
{
    /// <summary>The blob that holds the object of this hash: the first two of its hexadecimal characters are the folder.</summary>
    public static string BlobName(ContentHash hash) => $"objects/{hash.Hex.AsSpan(0, 2)}/{hash.Hex.AsSpan(2)}";

    /// <summary>Stores an object unless it is there already, and returns its name. An object of the wrong length is replaced.</summary>
    public async Task<ContentHash> PutAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ContentHash hash = ContentHash.Of(content.Span);
        string name = BlobName(hash);
        if (await blobs.LengthAsync(name, cancellationToken).ConfigureAwait(false) != content.Length)
        {
            // Whoever writes the same name at the same time writes the same bytes, so the last writer may win.
            await blobs.WriteAsync(name, new ReadOnlySequence<byte>(content), WriteCondition.Always, cancellationToken).ConfigureAwait(false);
        }

        return hash;
    }

    /// <summary>The whole object, its hash verified; null when there is none.</summary>
    /// <exception cref="CorruptObjectException">The stored bytes have another hash.</exception>
    public async Task<ReadOnlyMemory<byte>?> GetAsync(ContentHash hash, CancellationToken cancellationToken)
    {
        Blob? blob = await blobs.ReadAsync(BlobName(hash), cancellationToken).ConfigureAwait(false);
        if (blob is null)
        {
            return null;
        }

        ContentHash actual = ContentHash.Of(blob.Content.Span);
        return actual == hash ? blob.Content : throw new CorruptObjectException(BlobName(hash), hash, actual);
    }

    /// <summary>
    /// A stream over the object from byte <paramref name="offset"/> on; null when there is none. A part has no hash to verify: who
    /// receives the last part verifies the whole.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The offset is negative or beyond the end.</exception>
    public Task<Stream?> OpenReadAsync(ContentHash hash, long offset, CancellationToken cancellationToken) =>
        blobs.OpenReadAsync(BlobName(hash), offset, cancellationToken);

    /// <summary>Length in bytes; null when there is no such object.</summary>
    public Task<long?> LengthAsync(ContentHash hash, CancellationToken cancellationToken) =>
        blobs.LengthAsync(BlobName(hash), cancellationToken);

    /// <summary>Deletes the object. False when there was none.</summary>
    public Task<bool> DeleteAsync(ContentHash hash, CancellationToken cancellationToken) =>
        blobs.DeleteAsync(BlobName(hash), WriteCondition.Always, cancellationToken);
}
