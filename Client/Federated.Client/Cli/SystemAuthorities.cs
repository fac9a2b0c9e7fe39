using System.Runtime.InteropServices;

namespace Federated.Client.Cli;

/// <summary>
/// Keeps the framework from reading the system's certificate authorities. A device believes the one authority that it pinned, but whenever a chain is built the framework first loads
/// all of the system's, whoever is trusted: 140 files, which was two thirds of the time from the start to the first check-in.
/// </summary>
internal static partial class SystemAuthorities
{
    private const string Nowhere = "/nonexistent";

    // Where OpenSSL, and the framework after it, are told to look. Values that somebody has set stand.
    private static readonly string[] _variables = ["SSL_CERT_DIR", "SSL_CERT_FILE"];

    /// <summary>Tells the whole process that there are none. Call it before the first certificate is used.</summary>
    public static void Ignore()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        foreach (string variable in _variables)
        {
            // The framework reads them from the C library, whose environment Environment.SetEnvironmentVariable does not change.
            _ = SetEnvironment(variable, Nowhere, overwrite: 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
