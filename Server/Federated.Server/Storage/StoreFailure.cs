using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Federated.Server.Storage;

/// <summary>How a failure of the store is told to those who cannot look at its disk.</summary>
internal static class StoreFailure
{
    private const int WindowsErrors = unchecked((int)0x80070000);

    /// <summary>Whether a failure that nothing nearer has explained is the store's.</summary>
    public static bool Is(Exception failure) => In(failure) is not null;

    /// <summary>What the operating system said, as "No space left on device", without the file that its message names, which is another at every try.</summary>
    /// <returns>Null when the system said nothing, or the failure is not the store's.</returns>
    public static string? OfTheSystem(Exception failure)
    {
        for (Exception? at = In(failure); at is not null; at = at.InnerException)
        {
            switch (at)
            {
                case Win32Exception native:
                    return native.Message;
                case IOException { HResult: > 0 }:
                    return Marshal.GetPInvokeErrorMessage(at.HResult);
                case IOException or UnauthorizedAccessException when OperatingSystem.IsWindows() && (at.HResult & ~0xFFFF) == WindowsErrors:
                    return Marshal.GetPInvokeErrorMessage(at.HResult & 0xFFFF);
            }
        }

        return null;
    }

    /// <summary>What the operating system said; else the failure's message. Without a full stop.</summary>
    public static string ReasonOf(Exception failure) => (OfTheSystem(failure) ?? (In(failure) ?? failure).Message).TrimEnd('.', ' ');

    /// <summary>What a person is told, with the way out.</summary>
    public static string Told(Exception failure) => $"The server's store failed: {ReasonOf(failure)}. Look at its disk and into the server's log, then try again.";

    // What a grain's state could not be read or written for comes wrapped, with the whole of it as text.
    private static Exception? In(Exception failure)
    {
        Exception? at = failure;
        while (at is OrleansException)
        {
            at = at.InnerException;
        }

        return at is IOException or UnauthorizedAccessException ? at : null;
    }
}
