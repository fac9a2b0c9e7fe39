namespace Federated.Server.Storage;

/// <summary>
/// Versions of files: UTC times in steps of 100 ns that only grow, whatever the clock does, and that lie after every file that was there
/// at the start. Stored as the file's modification time, a version survives a restart without a second file. Thread-safe.
/// </summary>
/// <param name="time">The clock; it makes versions readable as times, nothing more.</param>
/// <param name="newest">The newest modification time in the folder.</param>
internal sealed class VersionClock(TimeProvider time, DateTime newest)
{
    private long _lastTicks = newest.Ticks;

    /// <summary>A version that was never given before.</summary>
    public DateTime Next()
    {
        while (true)
        {
            long last = Volatile.Read(ref _lastTicks);
            long next = Math.Max(time.GetUtcNow().UtcTicks, last + 1);
            if (Interlocked.CompareExchange(ref _lastTicks, next, last) == last)
            {
                return new DateTime(next, DateTimeKind.Utc);
            }
        }
    }

    /// <summary>The ETag of a file of this version and length.</summary>
    public static string ETag(DateTime version, long lengthBytes) => $"{version.Ticks:x}-{lengthBytes:x}";

    /// <summary>Returns when the file system keeps modification times exactly.</summary>
    /// <exception cref="IOException">It rounds them, so two versions could look alike.</exception>
    public void Probe(string path)
    {
        // An odd number of ticks: every coarser resolution would round it.
        DateTime version = new(Next().Ticks | 1, DateTimeKind.Utc);
        using (FileStream file = OwnerOnly.OpenFile(path, FileMode.Create, FileAccess.Write))
        {
            File.SetLastWriteTimeUtc(file.SafeFileHandle, version);
        }

        DateTime kept = File.GetLastWriteTimeUtc(path);
        File.Delete(path);
        if (kept != version)
        {
            throw new IOException(
                $"The file system of '{Path.GetDirectoryName(path)}' does not keep modification times to 100 ns ({version:O} became {kept:O}), which versions of blobs need. Use ext4, XFS, Btrfs, ZFS, tmpfs, APFS or NTFS.");
        }
    }
}
