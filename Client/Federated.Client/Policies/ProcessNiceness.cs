using System.Globalization;
using System.Runtime.InteropServices;

namespace Federated.Client.Policies;

/// <summary>
/// Gives way to other programs. On Linux niceness belongs to a thread and is inherited by the threads that it starts, so all that are there are made nicer,
/// before the engine starts its own.
/// </summary>
internal static partial class ProcessNiceness
{
    private const int Process = 0;

    /// <summary>Sets the niceness of every thread; false when the system refuses or is not Linux.</summary>
    public static bool Set(int nice)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        bool all = true;
        foreach (string folder in Directory.EnumerateDirectories("/proc/self/task"))
        {
            // A thread that has ended meanwhile is no failure that matters.
            all &= !int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int thread)
                || SetPriority(Process, thread, nice) == 0;
        }

        return all;
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);
}
