namespace Federated.Server.Storage;

/// <summary>What must hold for a write or a deletion to happen.</summary>
[GenerateSerializer]
[Immutable]
[Alias("write-condition")]
public sealed record WriteCondition
{
    private WriteCondition(bool mustBeAbsent, string? eTag)
    {
        MustBeAbsent = mustBeAbsent;
        ETag = eTag;
    }

    /// <summary>Nothing: the last writer wins.</summary>
    public static WriteCondition Always { get; } = new(false, null);

    /// <summary>There is no such blob.</summary>
    public static WriteCondition IfAbsent { get; } = new(true, null);

    /// <summary>Whether the blob must not exist.</summary>
    [Id(0)]
    public bool MustBeAbsent { get; }

    /// <summary>The ETag that the blob must have; null when the condition names none.</summary>
    [Id(1)]
    public string? ETag { get; }

    /// <summary>The blob exists and has exactly this ETag.</summary>
    /// <exception cref="ArgumentException">The ETag is empty, or <c>*</c>, which stores take for any version.</exception>
    public static WriteCondition IfMatch(string eTag)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(eTag);
        return eTag != "*"
            ? new WriteCondition(false, eTag)
            : throw new ArgumentException("'*' is no ETag of a version; use WriteCondition.Always for an unconditional write.", nameof(eTag));
    }

    /// <inheritdoc/>
    public override string ToString() => MustBeAbsent ? "absent" : ETag is null ? "any version" : $"version {ETag}";
}
