namespace Federated.Server.Storage;

/// <summary>How <see cref="FileBlobStore"/> writes.</summary>
internal sealed record FileBlobStoreOptions
{
    /// <summary>
    /// Whether a write is on the disk, not only with the operating system, before it is acknowledged. Without it a killed process still
    /// loses nothing; a machine that loses power may lose its last seconds. Default: true.
    /// </summary>
    public bool FlushToDisk { get; init; } = true;
}
