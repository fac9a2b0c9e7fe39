using System.Buffers;

namespace Federated.Server.Storage;

/// <summary>
/// Named byte objects with optimistic concurrency: model packages, checkpoints, partial aggregates and grain state. A blob is
/// replaced as a whole and atomically; a reader sees one version of it or none. Safe for use by many threads at once.
/// </summary>
/// <remarks>
/// <para>A name has 1 to 512 characters: segments of <c>A-Z a-z 0-9 . _ -</c> separated by <c>/</c>, none of them empty, longer than 255
/// or ending with a dot. Any other name is refused with <see cref="ArgumentException"/>. No name may be a folder of another name
/// (<c>a</c> beside <c>a/b</c>), nor differ from another only by case: files cannot hold such pairs everywhere.</para>
/// <para>ETags are opaque, never repeat for a name, and change with every write. A storage failure is an <see cref="IOException"/>.</para>
/// </remarks>
public interface IBlobStore
{
    /// <summary>The whole blob with its ETag; null when there is none.</summary>
    /// <exception cref="IOException">The blob cannot be read, or it is too large for one array: open it as a stream.</exception>
    Task<Blob?> ReadAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// A forward stream over the blob from byte <paramref name="offset"/> on; null when there is none. The caller disposes it. When
    /// the blob is replaced meanwhile, the stream goes on with the version it began with or throws <see cref="IOException"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The offset is negative or beyond the end (the end itself is allowed).</exception>
    Task<Stream?> OpenReadAsync(string name, long offset, CancellationToken cancellationToken);

    /// <summary>
    /// Replaces the whole blob and returns its new ETag. When the task ends, the content is as durable as the store promises. The
    /// content is not copied: it must not change until then.
    /// </summary>
    /// <exception cref="BlobConflictException">The condition does not hold; nothing was written.</exception>
    Task<string> WriteAsync(string name, ReadOnlySequence<byte> content, WriteCondition condition, CancellationToken cancellationToken);

    /// <summary>Deletes the blob. False when there was none, whatever the condition.</summary>
    /// <exception cref="BlobConflictException">The blob has another ETag than the condition names; nothing was deleted.</exception>
    /// <exception cref="ArgumentException">The condition is <see cref="WriteCondition.IfAbsent"/>, which cannot be meant.</exception>
    Task<bool> DeleteAsync(string name, WriteCondition condition, CancellationToken cancellationToken);

    /// <summary>
    /// The names that begin with <paramref name="prefix"/> (any beginning of a name, the empty one included) in ordinal order. What
    /// is written or deleted during the listing may or may not appear.
    /// </summary>
    IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Length in bytes; null when there is no such blob.</summary>
    Task<long?> LengthAsync(string name, CancellationToken cancellationToken);

    /// <summary>Whether there is such a blob.</summary>
    Task<bool> ExistsAsync(string name, CancellationToken cancellationToken);
}
