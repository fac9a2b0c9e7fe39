namespace Federated.Client.Transport;

/// <summary>
/// A folder of files that can be fetched again, kept below a limit: what was used longest ago leaves first. When a file was used is the time it was last written to,
/// which <see cref="Touch"/> sets, as many devices mount their disks so that reading leaves no trace. One caller at a time.
/// </summary>
/// <param name="folder">The folder; files below it in other folders do not count.</param>
/// <param name="limitBytes">Most that its files may hold together.</param>
/// <param name="time">The clock of the last uses.</param>
/// <param name="leastFreeBytes">What the disk of the folder is to keep free; 0 for nothing.</param>
/// <param name="freeBytes">Tells what the disk of a folder has free, null where that is not known; <see cref="DiskSpace.FreeBytes"/> when left out.</param>
internal sealed class BoundedFolder(string folder, long limitBytes, TimeProvider time, long leastFreeBytes = 0, Func<string, long?>? freeBytes = null)
{
    private readonly Func<string, long?> _freeBytes = freeBytes ?? DiskSpace.FreeBytes;

    /// <summary>Notes that a file is used.</summary>
    public void Touch(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is the first to leave then.
        }
    }

    /// <summary>Deletes what was used longest ago until a file of this length fits beside the rest, and the disk keeps what it is to keep free.</summary>
    /// <param name="path">The file that is about to grow to the length; it stays.</param>
    /// <param name="lengthBytes">Its length when it is whole.</param>
    /// <exception cref="IOException">It does not fit even alone. Nothing is deleted then.</exception>
    public void MakeRoom(string path, long lengthBytes)
    {
        if (lengthBytes > limitBytes)
        {
            throw new IOException($"'{path}' has {lengthBytes} bytes, and the folder is kept below {limitBytes}. Raise --cache-mebibytes, or give the device a smaller model.");
        }

        FileInfo file = new(path);
        if (!Evict(file.FullName, lengthBytes, file.Exists ? file.Length : 0))
        {
            throw new IOException(
                $"'{path}' has {lengthBytes} bytes, and the policy demands that {leastFreeBytes} bytes of the disk stay free. Make room on it, lower minFreeDiskMebibytes, or give the device a smaller model.");
        }
    }

    /// <summary>Deletes what was used longest ago until the disk has free what it is to keep; nothing when all of it would not do.</summary>
    public void KeepFree() => _ = Evict(null, 0, 0);

    /// <summary>False when even an empty folder would leave the disk too full.</summary>
    private bool Evict(string? kept, long lengthBytes, long presentBytes)
    {
        FileInfo[] files = [.. new DirectoryInfo(folder).EnumerateFiles().Where(file => file.FullName != kept).OrderBy(file => file.LastWriteTimeUtc)];
        long others = files.Sum(file => file.Length);
        long? free = leastFreeBytes == 0 ? null : _freeBytes(folder) + presentBytes - lengthBytes;
        if (free + others < leastFreeBytes)
        {
            return false;
        }

        long held = lengthBytes + others;
        foreach (FileInfo file in files)
        {
            if (held <= limitBytes && !(free < leastFreeBytes))
            {
                break;
            }

            held -= file.Length;
            free += file.Length;
            file.Delete();
        }

        return true;
    }
}
