namespace Federated.Training.Data;

/// <summary>What tells that a file has changed.</summary>
/// <param name="Path">Its full path.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="Written">When it was written last, UTC.</param>
internal readonly record struct FileStamp(string Path, long LengthBytes, DateTime Written)
{
    /// <summary>A file that was written less than this ago is not read yet.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    /// <summary>How folders are listed: without what is hidden, and a folder that may not be read is an error instead of empty.</summary>
    public static EnumerationOptions Listing { get; } = new() { IgnoreInaccessible = false };

    /// <summary>The files that lie directly in a folder, hidden ones left out, in ordinal order of their names.</summary>
    public static List<FileStamp> Of(string folder, Func<string, bool> takes)
    {
        List<FileStamp> stamps = [];
        foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles("*", Listing))
        {
            try
            {
                if (takes(file.Name))
                {
                    stamps.Add(new FileStamp(file.FullName, file.Length, file.LastWriteTimeUtc));
                }
            }
            catch (FileNotFoundException)
            {
                // It was taken away since it was listed.
            }
        }

        stamps.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return stamps;
    }

    /// <summary>Whether it may still be written to. A time far in the future, as from a camera whose clock is wrong, says nothing.</summary>
    public bool IsFresh(TimeProvider time) => (time.GetUtcNow().UtcDateTime - Written).Duration() < Settling;
}
