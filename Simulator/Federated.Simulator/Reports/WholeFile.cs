namespace Federated.Simulator.Reports;

/// <summary>Writes files that appear whole or not at all: no reader sees half of one, and a power cut leaves the earlier one or this one.</summary>
internal static class WholeFile
{
    private const string Draft = ".partial";

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

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string draft = path + Draft;
        new FileStream(draft, FileMode.Create, FileAccess.Write).Dispose();
        File.Delete(draft);
    }

    /// <summary>Makes or replaces a file. Returns when the content is on the disk.</summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="content">All of it.</param>
    /// <param name="cancellationToken">Leaves the earlier file.</param>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public static async Task WriteAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string draft = path + Draft;
        try
        {
            await using (FileStream file = new(draft, FileMode.Create, FileAccess.Write))
            {
                await file.WriteAsync(content, cancellationToken);

                // A rename that reaches the disk before the content does would leave an empty file after a power cut.
                file.Flush(flushToDisk: true);
            }

            File.Move(draft, path, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }
}
