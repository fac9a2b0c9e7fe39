using System.Runtime.InteropServices;

namespace Federated.Client.Cli;

/// <summary>
/// Libraries of the system that the client cannot bring along. The framework aborts the process at the first hash when OpenSSL is missing, so
/// it is looked for before.
/// </summary>
internal static class SystemLibraries
{
    // In the order in which the framework looks.
    private static readonly string[] _openSsl = ["libssl.so.3", "libssl.so.1.1", "libssl.so.1.0.2", "libssl.so.1.0.0"];

    /// <summary>Says what is missing and how to get it; null when nothing is.</summary>
    public static string? Missing() => Missing(OperatingSystem.IsLinux(), name =>
    {
        bool loaded = NativeLibrary.TryLoad(name, out nint handle);
        if (loaded)
        {
            NativeLibrary.Free(handle);
        }

        return loaded;
    });

    /// <summary>The same on a system described by its caller.</summary>
    public static string? Missing(bool linux, Func<string, bool> loads) => !linux || _openSsl.Any(loads)
        ? null
        : "OpenSSL is missing: none of libssl.so.3 and libssl.so.1.1 can be loaded. Install it: 'sudo apt-get install libssl3' on Raspberry Pi OS, Debian 12 and Ubuntu 22.04 (libssl3t64 on newer ones).";
}
