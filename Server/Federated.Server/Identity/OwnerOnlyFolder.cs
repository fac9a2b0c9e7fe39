using Federated.Server.Hosting;

namespace Federated.Server.Identity;

/// <summary>Files that nobody but the process's user may read, written whole or not at all.</summary>
internal static class OwnerOnlyFolder
{
    private const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode File = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Makes the folder when it is missing.</summary>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, Folder);
        }
    }

    /// <summary>Writes a file through a temporary one beside it.</summary>
    public static async Task WriteAsync(string path, string text, CancellationToken ct)
    {
        string temporary = path + ".new";
        System.IO.File.Delete(temporary);
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = File;
        }

        await using (FileStream stream = new(temporary, options))
        {
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(text), ct);
            stream.Flush(flushToDisk: true);
        }

        System.IO.File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Refuses a secret that others can read.</summary>
    /// <exception cref="RefusedOptionsException">Group or others may read or write the file.</exception>
    public static void DemandOwnerOnly(string path)
    {
        if (!OperatingSystem.IsWindows() && (System.IO.File.GetUnixFileMode(path) & Others) != 0)
        {
            throw new RefusedOptionsException($"The key '{path}' can be read or changed by other users. Take that away: chmod 600 '{path}'.");
        }
    }
}
