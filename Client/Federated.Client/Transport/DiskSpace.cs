namespace Federated.Client.Transport;

/// <summary>Room on disks.</summary>
internal static class DiskSpace
{
    /// <summary>Bytes that this user may still write to the disk of a folder; null when the system does not tell.</summary>
    public static long? FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
