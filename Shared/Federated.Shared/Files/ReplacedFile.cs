namespace Federated.Shared.Files;

/// <summary>Small files that a power cut leaves as they were or as they are to be, and never in between. Their owner alone may read them: what a device has learnt, or a key, is in some.</summary>
public static class ReplacedFile
{
    /// <summary>Replaces a file; its folder is made when it is not there. Returns when the content, and that it is there, are on the disk.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">All of it.</param>
    /// <exception cref="IOException">The disk does not take it; the earlier file is still there then, or the new one without a promise that it stays.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        string folder = Path.GetDirectoryName(path)!;
        string draft = path + ".new";
        Directory.CreateDirectory(folder);

        // One that was left behind may be open to others.
        File.Delete(draft);
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (FileStream file = new(draft, options))
        {
            // A rename that reaches the disk before the content does would leave an empty file after a power cut.
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
        DirectoryFlush.Flush(folder);
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
}
