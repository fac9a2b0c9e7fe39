namespace Federated.Server.Storage;

/// <summary>What the store says.</summary>
internal static partial class StorageLog
{
    /// <summary>Others could look into the folder.</summary>
    [LoggerMessage(36, LogLevel.Information, "The storage folder '{Folder}' was open to other users ({Rights}); its mode is 700 now")]
    public static partial void Narrowed(ILogger logger, string folder, UnixFileMode rights);

    /// <summary>Others can look into the folder.</summary>
    [LoggerMessage(37, LogLevel.Warning, "The storage folder '{Folder}' is open to other users ({Rights}), and that could not be changed: what was written by earlier versions, keys among it, can be read. Give the folder to the user of this process alone, with mode 700")]
    public static partial void LeftOpen(ILogger logger, string folder, UnixFileMode rights);
}
