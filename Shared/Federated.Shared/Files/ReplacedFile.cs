namespace Federated.Shared.Files;

/// <summary>Files that appear whole or not at all: no reader sees half of one, and a power cut leaves them as they were or as they are to be.</summary>
public static class ReplacedFile
{
    /// <summary>
    /// Replaces a small file that its owner alone may read: what a device has learnt, or a key, is in some. Its folder is made when it is not there. Returns when the
    /// content, and that it is there, are on the disk.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="content">All of it.</param>
    /// <exception cref="IOException">The disk does not take it; the earlier file is still there then, or the new one without a promise that it stays.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(FolderOf(path));
        string draft = DraftOf(path);

        // One that was left behind may be open to others.
        File.Delete(draft);
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (FileStream file = new(draft, options))
        {
            file.Write(content);
            Flush(file);
        }

        Publish(draft, path);
    }

    /// <summary>The same for a file that can be done without.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">All of it.</param>
    /// <returns>False when the disk does not take it.</returns>
    public static bool TryWrite(string path, ReadOnlySpan<byte> content)
    {
        try
        {
            Write(path, content);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Makes or replaces a file that others may read as the system has it for new files, as a report. Returns when the content, and that it is there, are on the disk.</summary>
    /// <param name="path">The file; absolute. Its folder exists.</param>
    /// <param name="content">All of it.</param>
    /// <param name="cancellationToken">Leaves the earlier file.</param>
    /// <exception cref="IOException">The disk does not take it; the earlier file is still there then, or the new one without a promise that it stays.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static async Task WriteOpenAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string draft = DraftOf(path);
        try
        {
            FileStream file = new(draft, FileMode.Create, FileAccess.Write);
            await using (file.ConfigureAwait(false))
            {
                await file.WriteAsync(content, cancellationToken).ConfigureAwait(false);
                Flush(file);
            }

            Publish(draft, path);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }

    /// <summary>Makes the folder of a file and tries whether it takes one, before long work whose result it is to hold. What is there stays.</summary>
    /// <param name="path">The file; absolute.</param>
    /// <exception cref="IOException">It is a folder, or the disk does not take it.</exception>
    /// <exception cref="UnauthorizedAccessException">Its folder must not be made or written.</exception>
    public static void Prepare(string path)
    {
        if (Directory.Exists(path))
        {
            throw new IOException($"'{path}' is a folder. Name a file.");
        }

        Directory.CreateDirectory(FolderOf(path));
        string draft = DraftOf(path);
        new FileStream(draft, FileMode.Create, FileAccess.Write).Dispose();
        File.Delete(draft);
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(path)!;

    private static string DraftOf(string path) => path + ".new";

    // A rename that reaches the disk before the content does would leave an empty file after a power cut.
    private static void Flush(FileStream file) => file.Flush(flushToDisk: true);

    private static void Publish(string draft, string path)
    {
        File.Move(draft, path, overwrite: true);
        DirectoryFlush.Flush(FolderOf(path));
    }
}
