namespace Federated.Training.Tests.Data;

/// <summary>A clock that stands still until it is moved, and files written by it.</summary>
internal sealed class FolderClock : TimeProvider
{
    /// <summary>What it shows.</summary>
    public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;

    /// <summary>Writes a file now, in a folder that is made where it is missing.</summary>
    public string Write(string folder, string name, byte[] content)
    {
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        File.SetLastWriteTimeUtc(path, Now.UtcDateTime);
        return path;
    }

    /// <summary>Lets enough time go by for files to be taken.</summary>
    public void Settle() => Now += TimeSpan.FromSeconds(10);
}
