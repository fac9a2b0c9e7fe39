using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Federated.Shared.Files;

/// <summary>
/// Puts a directory's entries on the disk. On POSIX systems a new name survives a power failure only after fsync(2) of its
/// directory, and .NET opens no directories; on Windows NTFS journals its entries and offers no such call, so nothing is done there.
/// </summary>
public static class DirectoryFlush
{
    // The same numbers on Linux and macOS.
    private const int ReadOnly = 0;
    private const int Interrupted = 4;
    private const int InvalidArgument = 22;

    /// <summary>Returns when the names in the directory are on the disk.</summary>
    /// <param name="path">The directory.</param>
    /// <exception cref="IOException">The directory cannot be opened or flushed.</exception>
    public static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open([.. Encoding.UTF8.GetBytes(path), 0], ReadOnly);
        if (descriptor < 0)
        {
            throw Failure("open", path);
        }

        try
        {
            while (FSync(descriptor) != 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error == InvalidArgument)
                {
                    return; // A file system (CIFS, some FUSE ones) that has nothing to flush for a directory.
                }

                if (error != Interrupted)
                {
                    throw Failure("flush", path);
                }
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failure(string action, string path)
    {
        Win32Exception inner = new(Marshal.GetLastPInvokeError());
        return new IOException($"Cannot {action} the directory '{path}': {inner.Message}.", inner);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int FSync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
