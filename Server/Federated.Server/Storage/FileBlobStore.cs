using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Federated.Server.Hosting;
using Federated.Shared.Files;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace Federated.Server.Storage;

/// <summary>
/// Blobs as plain files below one folder: the blob <c>a/b</c> is the file <c>a/b</c>. A write goes to a temporary file beside the
/// target and is renamed over it, so that a reader, or a server that starts after a crash, finds a whole version or none. Folders and files
/// are the owner's alone (700 and 600) from their first moment: keys are among them.
/// </summary>
/// <remarks>
/// One process owns the folder while the store is open (<see cref="FolderLock"/>), therefore a lock in memory around "check the
/// condition, rename" is enough. The ETag is the file's modification time, which the store sets itself from a counter that never
/// repeats (<see cref="VersionClock"/>), with the length. Names that the store makes up contain '~', which no blob name does. On
/// Windows a blob cannot be replaced while a stream over it is open.
/// </remarks>
internal sealed class FileBlobStore : IBlobStore, IDisposable
{
    private const int LockStripes = 64;

    private readonly string _root;
    private readonly bool _flushToDisk;
    private readonly FolderLock _folderLock;
    private readonly VersionClock _versions;
    private readonly Lock _folderCreation = new();
    private readonly ConcurrentDictionary<string, bool> _folders = new(StringComparer.Ordinal);
    private readonly Lock[] _renames = [.. Enumerable.Range(0, LockStripes).Select(_ => new Lock())];

    /// <summary>
    /// Opens the store, creates the folder if it is absent, takes one that others may look into away from them, and removes what interrupted writes have left.
    /// </summary>
    /// <exception cref="IOException">Another process owns the folder, or its file system cannot hold what the store needs.</exception>
    /// <exception cref="RefusedOptionsException">The folder cannot be made, or this user may not use it.</exception>
    public FileBlobStore(string root, FileBlobStoreOptions options, TimeProvider time, ILogger<FileBlobStore>? logger = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(root);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        _flushToDisk = options.FlushToDisk;
        _folderLock = new FolderLock(_root);
        try
        {
            Narrow(logger ?? NullLogger<FileBlobStore>.Instance);
            _versions = new VersionClock(time, RemoveLeftovers());
            _versions.Probe(Path.Combine(_root, "~probe"));
        }
        catch (UnauthorizedAccessException e)
        {
            _folderLock.Dispose();
            throw FolderLock.Refused(_root, e);
        }
        catch
        {
            _folderLock.Dispose();
            throw;
        }
    }

    /// <summary>Gives the folder free for another process. Nothing may be under way.</summary>
    public void Dispose() => _folderLock.Dispose();

    /// <inheritdoc/>
    public async Task<Blob?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        using SafeFileHandle? handle = Open(name);
        if (handle is null)
        {
            return null;
        }

        long length = RandomAccess.GetLength(handle);
        if (length > Array.MaxLength)
        {
            throw new IOException($"Blob '{name}' has {length} bytes; at most {Array.MaxLength} can be read at once. Open it as a stream.");
        }

        byte[] content = GC.AllocateUninitializedArray<byte>((int)length);
        int filled = 0;
        while (filled < content.Length)
        {
            int read = await RandomAccess.ReadAsync(handle, content.AsMemory(filled), filled, cancellationToken).ConfigureAwait(false);
            filled += read > 0 ? read : throw new EndOfStreamException($"Blob '{name}' ends after {filled} of {length} bytes: something else has changed the file.");
        }

        return new Blob(content, VersionClock.ETag(File.GetLastWriteTimeUtc(handle), length));
    }

    /// <inheritdoc/>
    public Task<Stream?> OpenReadAsync(string name, long offset, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        SafeFileHandle? handle = Open(name);
        if (handle is null)
        {
            return Task.FromResult<Stream?>(null);
        }

        try
        {
            long length = RandomAccess.GetLength(handle);
            return offset <= length
                ? Task.FromResult<Stream?>(new FileStream(handle, FileAccess.Read, bufferSize: 0, handle.IsAsync) { Position = offset })
                : throw new ArgumentOutOfRangeException(nameof(offset), offset, $"Blob '{name}' has only {length} bytes.");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<string> WriteAsync(string name, ReadOnlySequence<byte> content, WriteCondition condition, CancellationToken cancellationToken)
    {
        BlobNames.Check(name);
        ArgumentNullException.ThrowIfNull(condition);

        // Flushing blocks for milliseconds, so all of it runs on a thread that may block.
        return Task.Run(() => Write(name, content, condition, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string name, WriteCondition condition, CancellationToken cancellationToken)
    {
        BlobNames.Check(name);
        ArgumentNullException.ThrowIfNull(condition);
        return condition.MustBeAbsent
            ? throw new ArgumentException("A deletion cannot ask for the blob to be absent.", nameof(condition))
            : Task.Run(() => Delete(name, condition), cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        BlobNames.CheckPrefix(prefix);
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (string name in FolderListing.Names(_root, prefix))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return name;
        }
    }

    /// <inheritdoc/>
    public Task<long?> LengthAsync(string name, CancellationToken cancellationToken)
    {
        BlobNames.Check(name);
        cancellationToken.ThrowIfCancellationRequested();
        FileInfo file = new(PathOf(name));
        return Task.FromResult<long?>(file.Exists ? file.Length : null);
    }

    /// <inheritdoc/>
    public async Task<bool> ExistsAsync(string name, CancellationToken cancellationToken) =>
        await LengthAsync(name, cancellationToken).ConfigureAwait(false) is not null;

    private string PathOf(string name) => Path.Join(_root, name);

    private SafeFileHandle? Open(string name)
    {
        BlobNames.Check(name);
        string path = PathOf(name);
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.Asynchronous);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException) when (Directory.Exists(path))
        {
            return null; // The name is a folder of other blobs.
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"Blob '{name}' cannot be read: {e.Message}", e);
        }
    }

    private string Write(string name, ReadOnlySequence<byte> content, WriteCondition condition, CancellationToken cancellationToken)
    {
        string path = PathOf(name);
        string folder = Path.GetDirectoryName(path)!;
        Demand(name, path, condition);
        DateTime version = _versions.Next();
        string temporary = Path.Join(folder, $"~{version.Ticks:x}");
        try
        {
            CreateFolder(name, folder);
            WriteTemporary(temporary, content, version);
            cancellationToken.ThrowIfCancellationRequested();
            lock (RenameLock(name))
            {
                Demand(name, path, condition);
                File.Move(temporary, path, overwrite: true);
            }
        }
        catch (Exception e)
        {
            if (File.Exists(temporary))
            {
                File.Delete(temporary);
            }

            if (e is UnauthorizedAccessException or IOException && Directory.Exists(path))
            {
                throw new IOException($"Blob '{name}' cannot be written: the name is a folder of other blobs. Choose another name.", e);
            }

            if (e is UnauthorizedAccessException)
            {
                throw new IOException($"Blob '{name}' cannot be written: {e.Message}", e);
            }

            throw;
        }

        FlushFolder(folder);
        return VersionClock.ETag(version, content.Length);
    }

    private void WriteTemporary(string temporary, ReadOnlySequence<byte> content, DateTime version)
    {
        // Closed before the rename: on Unix an open writer holds a file lock that would refuse readers of the new blob.
        using FileStream file = OwnerOnly.OpenFile(temporary, FileMode.CreateNew, FileAccess.Write);
        SafeFileHandle handle = file.SafeFileHandle;

        // One call a segment: the overload that takes a list of buffers joins them in a new array first.
        long offset = 0;
        foreach (ReadOnlyMemory<byte> segment in content)
        {
            RandomAccess.Write(handle, segment.Span, offset);
            offset += segment.Length;
        }

        File.SetLastWriteTimeUtc(handle, version);
        if (_flushToDisk)
        {
            RandomAccess.FlushToDisk(handle);
        }
    }

    private bool Delete(string name, WriteCondition condition)
    {
        string path = PathOf(name);
        lock (RenameLock(name))
        {
            if (!File.Exists(path))
            {
                return false;
            }

            Demand(name, path, condition);
            File.Delete(path);
        }

        FlushFolder(Path.GetDirectoryName(path)!);
        return true;
    }

    private static void Demand(string name, string path, WriteCondition condition)
    {
        if (condition is { MustBeAbsent: false, ETag: null })
        {
            return;
        }

        FileInfo file = new(path);
        string? actual = file.Exists ? VersionClock.ETag(file.LastWriteTimeUtc, file.Length) : null;
        if (condition.MustBeAbsent ? actual is not null : actual != condition.ETag)
        {
            throw new BlobConflictException(name, condition);
        }
    }

    private Lock RenameLock(string name) => _renames[(name.GetHashCode(StringComparison.Ordinal) & int.MaxValue) % LockStripes];

    /// <summary>
    /// Creates the folder and those above it. Each is flushed before any thread writes into it: a folder that merely exists may still be
    /// another thread's, not on the disk yet.
    /// </summary>
    private void CreateFolder(string name, string folder)
    {
        if (folder.Length <= _root.Length || _folders.ContainsKey(folder))
        {
            return;
        }

        string parent = Path.GetDirectoryName(folder)!;
        CreateFolder(name, parent);
        lock (_folderCreation)
        {
            if (File.Exists(folder))
            {
                throw new IOException($"Blob '{name}' cannot be written: '{Path.GetRelativePath(_root, folder)}' is itself a blob. Choose another name.");
            }

            OwnerOnly.CreateFolder(folder);
            FlushFolder(parent);
            _folders[folder] = true;
        }
    }

    private void FlushFolder(string folder)
    {
        if (_flushToDisk)
        {
            DirectoryFlush.Flush(folder);
        }
    }

    private void Narrow(ILogger logger)
    {
        UnixFileMode rights = OwnerOnly.RightsOfOthers(_root);
        if (rights == UnixFileMode.None)
        {
            return;
        }

        if (OwnerOnly.TryNarrow(_root))
        {
            StorageLog.Narrowed(logger, _root, rights);
        }
        else
        {
            StorageLog.LeftOpen(logger, _root, rights);
        }
    }

    /// <summary>Deletes the temporaries of a process that was killed; returns the newest modification time among the blobs.</summary>
    private DateTime RemoveLeftovers()
    {
        DateTime newest = DateTime.MinValue;
        foreach (FileInfo file in new DirectoryInfo(_root).EnumerateFiles("*", FolderListing.WholeTree))
        {
            if (!file.Name.StartsWith('~'))
            {
                newest = file.LastWriteTimeUtc > newest ? file.LastWriteTimeUtc : newest;
            }
            else if (file.Name != FolderLock.FileName)
            {
                file.Delete();
            }
        }

        return newest;
    }
}
