using Federated.Server.Hosting;

namespace Federated.Server.Identity;

/// <summary>Folders and files that nobody but the process's user may read.</summary>
internal static class OwnerOnlyFolder
{
    private const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
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

    /// <summary>Refuses a secret that others can read.</summary>
    /// <exception cref="RefusedOptionsException">Group or others may read or write the file.</exception>
    public static void DemandOwnerOnly(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
        {
            throw new RefusedOptionsException($"The key '{path}' can be read or changed by other users. Take that away: chmod 600 '{path}'.");
        }
    }
}
