using System.Buffers;
using Federated.Shared.Models;

namespace Federated.Server.Storage;

/// <summary>
/// Immutable objects named by their SHA-256, in <paramref name="blobs"/> under <c>objects/ab/cdef…</c>. Storing the same bytes twice
/// stores them once; therefore each has holders, in empty blobs under <c>holders/ab/</c>, and goes with the last of them. Safe for use by many
/// threads at once, of one process.
/// </summary>
public sealed class ContentStore(IBlobStore blobs)
{
    private const int LockStripes = 16;
    private const string Forever = "store";

    // Between "nobody holds it" and the deletion nobody may begin to hold it.
    private readonly SemaphoreSlim[] _holding = [.. Enumerable.Range(0, LockStripes).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>The blob that holds the object of this hash: the first two of its hexadecimal characters are the folder.</summary>
    public static string BlobName(ContentHash hash) => $"objects/{hash.Hex.AsSpan(0, 2)}/{hash.Hex.AsSpan(2)}";

    /// <summary>Stores an object for good, unless it is there already, and returns its name. An object of the wrong length is replaced.</summary>
    public Task<ContentHash> PutAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        PutAsync(content, Forever, cancellationToken);

    /// <summary>The same for as long as a holder wants it.</summary>
    /// <param name="content">The object.</param>
    /// <param name="holder">Who holds it until <see cref="ReleaseAsync"/>: characters of a blob's name without '/'.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<ContentHash> PutAsync(ReadOnlyMemory<byte> content, string holder, CancellationToken cancellationToken)
    {
        ContentHash hash = ContentHash.Of(content.Span);
        string name = BlobName(hash);
        SemaphoreSlim holding = await EnterAsync(hash, cancellationToken).ConfigureAwait(false);
        try
        {
            // The holder first: a crash in between leaves a holder of nothing, which the next attempt makes good.
            string held = HolderName(hash, holder);
            if (!await blobs.ExistsAsync(held, cancellationToken).ConfigureAwait(false))
            {
                await blobs.WriteAsync(held, ReadOnlySequence<byte>.Empty, WriteCondition.Always, cancellationToken).ConfigureAwait(false);
            }

            if (await blobs.LengthAsync(name, cancellationToken).ConfigureAwait(false) != content.Length)
            {
                await blobs.WriteAsync(name, new ReadOnlySequence<byte>(content), WriteCondition.Always, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            holding.Release();
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

    /// <summary>Ends a holder's hold; the object is deleted when nobody else holds it.</summary>
    /// <returns>Whether it was deleted.</returns>
    public async Task<bool> ReleaseAsync(ContentHash hash, string holder, CancellationToken cancellationToken)
    {
        SemaphoreSlim holding = await EnterAsync(hash, cancellationToken).ConfigureAwait(false);
        try
        {
            await blobs.DeleteAsync(HolderName(hash, holder), WriteCondition.Always, cancellationToken).ConfigureAwait(false);
            await foreach (string _ in blobs.ListAsync(HolderName(hash, ""), cancellationToken).ConfigureAwait(false))
            {
                return false;
            }

            return await blobs.DeleteAsync(BlobName(hash), WriteCondition.Always, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            holding.Release();
        }
    }

    // One folder for many hashes: a folder for each would stay behind, empty.
    private static string HolderName(ContentHash hash, string holder) => $"holders/{hash.Hex.AsSpan(0, 2)}/{hash.Hex}.{holder}";

    private async Task<SemaphoreSlim> EnterAsync(ContentHash hash, CancellationToken cancellationToken)
    {
        SemaphoreSlim holding = _holding[(hash.GetHashCode() & int.MaxValue) % LockStripes];
        await holding.WaitAsync(cancellationToken).ConfigureAwait(false);
        return holding;
    }
}
