using Federated.Server.Hosting;

namespace Federated.Server.Storage;

/// <summary>
/// Exclusive ownership of a folder by one process: its lock file is held open unshared, which on Unix is flock(2). The operating system
/// lets go of it when the process ends in whatever way, so a crash leaves nothing to clear. Network file systems without such
/// locks give no protection.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    public const string FileName = "~lock";

    // "Would block" of Linux and of macOS, and Windows' sharing violation.
    private static readonly int[] _heldErrors = [11, 35, unchecked((int)0x80070020)];

    private readonly FileStream _file;

    /// <summary>Creates the folder if it is absent, for its owner alone, and takes its lock.</summary>
    /// <exception cref="IOException">The lock is held, or cannot be taken.</exception>
    /// <exception cref="RefusedOptionsException">The folder cannot be made, or this user may not use it.</exception>
    public FolderLock(string folder)
    {
        try
        {
            OwnerOnly.CreateFolder(folder);
            _file = OwnerOnly.OpenFile(Path.Join(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite);
        }
        catch (IOException e) when (_heldErrors.Contains(e.HResult))
        {
            throw new IOException($"The storage folder '{folder}' is in use by another server (its file {FileName} is locked). Stop that one or name another folder. ({e.Message})", e);
        }
        catch (Exception e) when (e is UnauthorizedAccessException || (e is IOException && File.Exists(folder)))
        {
            throw Refused(folder, e);
        }
        catch (IOException e)
        {
            throw new IOException($"The lock {FileName} of the storage folder '{folder}' cannot be taken: {e.Message}", e);
        }
    }

    /// <summary>What is said of a folder that this user cannot work with.</summary>
    public static RefusedOptionsException Refused(string folder, Exception failure) => new(
        $"The storage folder '{folder}' cannot be used: {failure.Message.TrimEnd('.')}. Give the user of this process the folder and all that is in it, or name another with --storage.", failure);

    /// <summary>Lets go. The file stays: deleting it could pull it from under the next owner.</summary>
    public void Dispose() => _file.Dispose();
}
