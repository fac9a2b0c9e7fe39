namespace Federated.Client.Transport;

/// <summary>Where model packages are kept and how many threads train them.</summary>
public sealed record ModelCacheOptions
{
    /// <summary>Folder for package files, made when missing; null keeps them in memory only.</summary>
    public string? Folder { get; init; }

    /// <summary>Workspaces, and so trainings at a time, per package; at least 1. One a processor by default.</summary>
    public int TrainingThreads { get; init; } = Environment.ProcessorCount;

    /// <summary>Largest package file, in bytes. 2 GB (what one array holds) by default.</summary>
    public long MaxFileBytes { get; init; } = Array.MaxLength;

    /// <summary>Most that the files of <see cref="Folder"/> may hold together, in bytes; what was used longest ago leaves first. No limit by default.</summary>
    public long MaxFolderBytes { get; init; } = long.MaxValue;

    /// <summary>
    /// What the disk of <see cref="Folder"/> is to keep free, in bytes: a package that would take it is refused, and those used longest ago leave before. 0, for
    /// nothing, by default.
    /// </summary>
    public long LeastFreeBytes { get; init; }

    /// <summary>Whether a package is freed from memory before another one is loaded: for one device, which trains one at a time. Off by default.</summary>
    public bool OnePackageInMemory { get; init; }

    /// <summary>
    /// Whether a device that finds a package already here is charged the bytes it cost to fetch, once a package. Off by default: bytes are
    /// what really passed. On when the cache stands for as many caches as there are virtual devices, so that what a device is
    /// charged does not depend on who came first.
    /// </summary>
    public bool ChargeEveryDevice { get; init; }

    /// <summary>The clock by which files of <see cref="Folder"/> are marked as used. The system's by default.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
