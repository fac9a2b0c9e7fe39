namespace Federated.Client.Transport;

/// <summary>
/// A folder of files that can be fetched again, kept below a limit: what was used longest ago leaves first. When a file was used is the time it was last written to,
/// which <see cref="Touch"/> sets, as many devices mount their disks so that reading leaves no trace. One caller at a time.
/// </summary>
/// <param name="folder">The folder; files below it in other folders do not count.</param>
/// <param name="limitBytes">Most that its files may hold together.</param>
/// <param name="time">The clock of the last uses.</param>
internal sealed class BoundedFolder(string folder, long limitBytes, TimeProvider time)
{
    /// <summary>Most that its files may hold together, in bytes.</summary>
    public long LimitBytes => limitBytes;

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

    /// <summary>Deletes what was used longest ago until a file of this length fits beside the rest.</summary>
    /// <param name="path">The file that is about to grow to the length; it stays.</param>
    /// <param name="lengthBytes">Its length when it is whole.</param>
    /// <exception cref="IOException">It does not fit even alone.</exception>
    public void MakeRoom(string path, long lengthBytes)
    {
        if (lengthBytes > limitBytes)
        {
            throw new IOException($"'{path}' has {lengthBytes} bytes, and the folder is kept below {limitBytes}. Raise --cache-mebibytes, or give the device a smaller model.");
        }

        FileInfo[] files = [.. new DirectoryInfo(folder).EnumerateFiles().Where(file => file.FullName != Path.GetFullPath(path)).OrderBy(file => file.LastWriteTimeUtc)];
        long held = lengthBytes + files.Sum(file => file.Length);
        foreach (FileInfo file in files)
        {
            if (held <= limitBytes)
            {
                return;
            }

            held -= file.Length;
            file.Delete();
        }
    }
}
