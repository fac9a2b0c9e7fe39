namespace Federated.Server.Storage;

/// <summary>A blob is not in the version that a write or a deletion asked for: someone else was there first.</summary>
/// <param name="name">The blob.</param>
/// <param name="expected">The condition that does not hold.</param>
[GenerateSerializer]
[Alias("blob-conflict")]
public sealed class BlobConflictException(string name, WriteCondition expected)
    : Exception($"Blob '{name}' was expected to be {expected}, and is not. Read it again, apply the change to what is there now, and write that.")
{
    /// <summary>The blob.</summary>
    [Id(0)]
    public string BlobName { get; } = name;

    /// <summary>The condition that does not hold.</summary>
    [Id(1)]
    public WriteCondition Expected { get; } = expected;
}
