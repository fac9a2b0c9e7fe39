using Federated.Server.Hosting;

namespace Federated.Server.Storage;

/// <summary>Folders and files that nobody but the process's user may read. Where a system has no such modes, as Windows, the folder's own permissions stand.</summary>
internal static class OwnerOnly
{
    private const UnixFileMode FileMode600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode FolderMode700 = FileMode600 | UnixFileMode.UserExecute;
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Makes the folder when it is missing; one that is there stays as it is.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, FolderMode700);
        }
    }

    /// <summary>Opens a file that nobody else has open, unbuffered; one that is made is the owner's alone from its first moment.</summary>
    public static FileStream OpenFile(string path, FileMode mode, FileAccess access)
    {
        FileStreamOptions options = new() { Mode = mode, Access = access, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = FileMode600;
        }

        return new FileStream(path, options);
    }

    /// <summary>What others than the owner may do with a file or folder; links are followed.</summary>
    public static UnixFileMode RightsOfOthers(string path) => OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(Target(path)) & Others;

    /// <summary>Takes a folder away from others. One that everybody may put things into, as <c>/tmp</c>, is left alone.</summary>
    /// <returns>Whether it is the owner's alone now. It is not when it is another user's, or its file system keeps no modes.</returns>
    public static bool TryNarrow(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return true;
        }

        string target = Target(folder);
        try
        {
            UnixFileMode mode = File.GetUnixFileMode(target);
            if (!mode.HasFlag(UnixFileMode.StickyBit))
            {
                File.SetUnixFileMode(target, mode & ~Others);
            }
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return false;
        }

        return RightsOfOthers(folder) == UnixFileMode.None;
    }

    /// <summary>Refuses a secret that others can read.</summary>
    /// <exception cref="RefusedOptionsException">Group or others may read or write the file.</exception>
    public static void DemandOwnerOnly(string path)
    {
        const UnixFileMode execute = UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others & ~execute) != 0)
        {
            throw new RefusedOptionsException($"The key '{path}' can be read or changed by other users. Take that away: chmod 600 '{path}'.");
        }
    }

    private static string Target(string path) => new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
}
