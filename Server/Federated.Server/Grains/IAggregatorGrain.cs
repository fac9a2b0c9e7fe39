namespace Federated.Server.Grains;

/// <summary>A group's sum, closed for good.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.sealed-group")]
public sealed record SealedGroup
{
    /// <summary>Updates in the sum.</summary>
    [Id(0)]
    public required int Count { get; init; }

    /// <summary>Times the partial sum was written in this activation.</summary>
    [Id(1)]
    public required int DurableWrites { get; init; }

    /// <summary>Why the group has no sum, when it was abandoned.</summary>
    [Id(2)]
    public string? Abandoned { get; init; }

    /// <summary>Devices whose sum was seen and then refused: it counts in no model, but as what privacy they have spent.</summary>
    [Id(3)]
    public string[] Refused { get; init; } = [];
}

/// <summary>
/// One aggregation group's running sum. Key: job/round/group. The sum and the updates stay in the process that received them; the
/// grain's messages only name them.
/// </summary>
[Alias("federated.aggregator")]
public interface IAggregatorGrain : IGrainWithStringKey
{
    /// <summary>Whether the group would take this update, asked before its bytes are sent.</summary>
    [Alias("screen")]
    [AlwaysInterleave]
    Task<SubmissionAnswer> Screen(Submission submission);

    /// <summary>
    /// Folds the staged update and answers when the sum that holds it is durable. Interleaves, because updates that wait together
    /// share one write.
    /// </summary>
    [Alias("fold")]
    [AlwaysInterleave]
    Task<SubmissionAnswer> Fold(Submission submission, long stagedId);

    /// <summary>Whether this very update is part of the sum.</summary>
    [Alias("holds")]
    [AlwaysInterleave]
    Task<bool> Holds(Submission submission);

    /// <summary>The updates in the durable sum.</summary>
    [Alias("contributions")]
    [AlwaysInterleave]
    Task<Submission[]> Contributions();

    /// <summary>Takes no further update, waits for the ones being folded, and tells what the sum holds.</summary>
    [Alias("seal")]
    [AlwaysInterleave]
    Task<SealedGroup> Seal();

    /// <summary>Deletes the durable sum.</summary>
    [Alias("forget")]
    Task Forget();
}

/// <summary>What became of a submission; mirrors the outcomes of the wire.</summary>
[GenerateSerializer]
[Alias("federated.submission-answer")]
public enum SubmissionAnswer
{
    /// <summary>Not yet seen and welcome.</summary>
    Welcome,

    /// <summary>Folded and durable.</summary>
    Accepted,

    /// <summary>Folded and durable since an earlier submission.</summary>
    Duplicate,

    /// <summary>The device has contributed something else.</summary>
    Conflict,

    /// <summary>The round is closed.</summary>
    Late,

    /// <summary>The device is not in the cohort.</summary>
    NotSelected,

    /// <summary>The round was abandoned.</summary>
    Abandoned,

    /// <summary>The sum cannot hold the update's magnitude.</summary>
    OutOfRange,

    /// <summary>It breaks the protocol of its group.</summary>
    Malformed,
}
