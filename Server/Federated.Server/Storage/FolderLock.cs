using Microsoft.Win32.SafeHandles;

namespace Federated.Server.Storage;

/// <summary>
/// Exclusive ownership of a folder by one process: its lock file is held open unshared, which on Unix is flock(2). The operating system
/// lets go of it when the process ends in whatever way, so a crash leaves nothing to clear. Network file systems without such
/// locks give no protection.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    public const string FileName = "~lock";

    private readonly SafeFileHandle _handle;

    /// <summary>Creates the folder if it is absent and takes its lock.</summary>
    /// <exception cref="IOException">The lock is held, or the folder cannot be used.</exception>
    public FolderLock(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            _handle = File.OpenHandle(Path.Join(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The storage folder '{folder}' cannot be used: {e.Message} Grant this user write access or name another folder.", e);
        }
        catch (IOException e) when (Directory.Exists(folder))
        {
            throw new IOException($"The storage folder '{folder}' is in use by another server (its file {FileName} is locked). Stop that one or name another folder. ({e.Message})", e);
        }
    }

    /// <summary>Lets go. The file stays: deleting it could pull it from under the next owner.</summary>
    public void Dispose() => _handle.Dispose();
}
