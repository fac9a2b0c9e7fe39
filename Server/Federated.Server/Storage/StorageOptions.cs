using Microsoft.Extensions.Options;

namespace Federated.Server.Storage;

/// <summary>Where blobs are kept.</summary>
public enum StorageKind
{
    /// <summary>In a folder of this machine.</summary>
    Files,

    /// <summary>In a container of Azure Blob Storage, or of a service that speaks its protocol.</summary>
    Azure,
}

/// <summary>The blob store of a server.</summary>
public sealed class StorageOptions
{
    private const int MaxDirectDownloadMinutes = 60;

    /// <summary>Where blobs are kept. Default: files.</summary>
    public StorageKind Kind { get; set; } = StorageKind.Files;

    /// <summary>Files: the folder, created if absent; one process at a time may use it. Default: <c>storage</c> in the working directory.</summary>
    public string Path { get; set; } = "storage";

    /// <summary>Azure: the connection string, which holds the account's key. No default.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Azure: the container, created if absent; 3 to 63 of a-z, 0-9 and single '-' between them. Default: <c>federated</c>.</summary>
    public string Container { get; set; } = "federated";

    /// <summary>
    /// Azure: how long an address holds under which a device reads an object straight from the store, in minutes, 1 to 60; 0, the default, for no such
    /// addresses. Needs the account's key, and an endpoint that is https, or http on loopback.
    /// </summary>
    public int DirectDownloadMinutes { get; set; }

    /// <summary>
    /// Files: whether a write reaches the disk before it is acknowledged. Without it a killed process still loses nothing, a machine
    /// without power may lose its last seconds. Default: true.
    /// </summary>
    public bool FlushToDisk { get; set; } = true;

    /// <summary>Returns when the options can be used.</summary>
    /// <exception cref="OptionsValidationException">They cannot; every fault is listed.</exception>
    public void Validate()
    {
        List<string> faults = [];
        switch (Kind)
        {
            case StorageKind.Files:
                if (string.IsNullOrWhiteSpace(Path))
                {
                    faults.Add("Storage.Path is empty; with Storage.Kind Files it names the folder for blobs.");
                }

                break;
            case StorageKind.Azure:
                if (string.IsNullOrWhiteSpace(ConnectionString))
                {
                    faults.Add("Storage.ConnectionString is empty; with Storage.Kind Azure it names the account and its key.");
                }
                else if (AzureBlobStore.ConnectionFault(ConnectionString) is { } malformed)
                {
                    faults.Add($"Storage.ConnectionString (--azure-connection) {malformed}");
                }

                if (!IsContainerName(Container))
                {
                    faults.Add($"Storage.Container is '{Container}'; allowed are 3 to 63 of a-z, 0-9 and single '-' between them.");
                }

                if (DirectDownloadMinutes > 0 && faults.Count == 0 && AzureBlobStore.AddressFault(ConnectionString!, Container) is { } fault)
                {
                    faults.Add($"Storage.DirectDownloadMinutes is {DirectDownloadMinutes}, and {fault}");
                }

                break;
            default:
                faults.Add($"Storage.Kind is {(int)Kind}; allowed are Files and Azure.");
                break;
        }

        if (DirectDownloadMinutes is < 0 or > MaxDirectDownloadMinutes)
        {
            faults.Add($"Storage.DirectDownloadMinutes is {DirectDownloadMinutes}; allowed are 1 to {MaxDirectDownloadMinutes} minutes, or 0 for no direct downloads.");
        }
        else if (DirectDownloadMinutes > 0 && Kind == StorageKind.Files)
        {
            faults.Add("Storage.DirectDownloadMinutes is set, and the store is a folder, which has no addresses. Use Azure Blob Storage, or leave it out.");
        }

        if (faults.Count > 0)
        {
            throw new OptionsValidationException("Storage", typeof(StorageOptions), faults);
        }
    }

    private static bool IsContainerName(string? name) =>
        name is { Length: >= 3 and <= 63 }
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && name[0] != '-' && name[^1] != '-' && !name.Contains("--", StringComparison.Ordinal);
}
