using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Jobs;

namespace Federated.Server.Grains;

/// <summary>What a round is about; fixed at its start.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.round-start")]
public sealed record RoundStart
{
    /// <summary>The job.</summary>
    [Id(0)]
    public required string JobId { get; init; }

    /// <summary>The round, from 1.</summary>
    [Id(1)]
    public required long Round { get; init; }

    /// <summary>The population the cohort comes from.</summary>
    [Id(2)]
    public required string Population { get; init; }

    /// <summary>Version of the adapter the cohort starts from.</summary>
    [Id(3)]
    public required long ModelVersion { get; init; }

    /// <summary>P.</summary>
    [Id(4)]
    public required int ParameterCount { get; init; }

    /// <summary>Largest update document taken.</summary>
    [Id(5)]
    public required long MaxUpdateBytes { get; init; }

    /// <summary>Updates wanted.</summary>
    [Id(6)]
    public required int Goal { get; init; }

    /// <summary>Updates needed.</summary>
    [Id(7)]
    public required int Quorum { get; init; }

    /// <summary>Selected devices in ordinal order.</summary>
    [Id(8)]
    public required string[] Cohort { get; init; }

    /// <summary>The plan document every one of them gets.</summary>
    [Id(9)]
    public required byte[] Plan { get; init; }

    /// <summary>When the round closes at the latest.</summary>
    [Id(10)]
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>When the job asked for the cohort.</summary>
    [Id(11)]
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Seconds from then until the cohort was there.</summary>
    [Id(12)]
    public required double SelectSeconds { get; init; }

    /// <summary>How LoRA factors are combined; null for a package without them.</summary>
    [Id(13)]
    public LoraRound? Lora { get; init; }

    /// <summary>Fields that are summed under the linear codec; null without it.</summary>
    [Id(14)]
    public int? FieldCount { get; init; }

    /// <summary>The groups in which updates are masked; null when they are not.</summary>
    [Id(15)]
    public SecureRound? Secure { get; init; }

    /// <summary>Directions whose amounts are sent; null for updates of parameters.</summary>
    [Id(16)]
    public int? Directions { get; init; }

    /// <summary>Length of the vector that is summed.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public int SumLength => FieldCount ?? Directions ?? Lora?.SumLength ?? ParameterCount;
}

/// <summary>A round under secure aggregation.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.secure-round")]
public sealed record SecureRound
{
    /// <summary>How many groups there are.</summary>
    [Id(0)]
    public required int Groups { get; init; }

    /// <summary>The group of each device of the cohort, in its order.</summary>
    [Id(1)]
    public required int[] GroupOf { get; init; }

    /// <summary>Members below which a group is abandoned.</summary>
    [Id(2)]
    public required int MinMembers { get; init; }

    /// <summary>How long a step waits for silent members.</summary>
    [Id(3)]
    public required TimeSpan StepTime { get; init; }

    /// <summary>When the first step closes at the latest.</summary>
    [Id(4)]
    public required DateTimeOffset KeysUntil { get; init; }
}

/// <summary>What the edge must know of a round under a LoRA rule.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.lora-round")]
public sealed record LoraRound
{
    /// <summary>The rule.</summary>
    [Id(0)]
    public required LoraRuleKind Rule { get; init; }

    /// <summary>Whether its averaging bias is to be told.</summary>
    [Id(1)]
    public required bool AveragingBias { get; init; }

    /// <summary>Length of the vector that is summed.</summary>
    [Id(2)]
    public required int SumLength { get; init; }

    /// <summary>The rank of each device of the cohort, in its order; 0 for the package's. Empty when all have that.</summary>
    [Id(3)]
    public required int[] Ranks { get; init; }

    /// <summary>How layers come to take part; null when all do from the start.</summary>
    [Id(4)]
    public LayerSettings? Layers { get; init; }
}

/// <summary>One update's identity: who, what.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.submission")]
public readonly record struct Submission([property: Id(0)] string DeviceId, [property: Id(1)] string Sha256);

/// <summary>How a round closed.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.round-closure")]
public sealed record RoundClosure
{
    /// <summary>Whether its sum is to be committed.</summary>
    [Id(0)]
    public required bool Commit { get; init; }

    /// <summary>Why not; empty otherwise.</summary>
    [Id(1)]
    public required string Reason { get; init; }

    /// <summary>Selected devices that did not contribute, by reason.</summary>
    [Id(2)]
    public required Dictionary<string, int> Dropped { get; init; }

    /// <summary>Why each of those devices did not; empty in a closure that an earlier version wrote.</summary>
    [Id(3)]
    public Dictionary<string, string> DropReasons { get; init; } = [];

    /// <summary>The last round that enough of the cohort say they have reached, where that is beyond this one; else 0.</summary>
    [Id(4)]
    public long ReachedRound { get; init; }

    /// <summary>Whether it was abandoned for devices alone that have been in later rounds.</summary>
    [Id(5)]
    public bool IsOvertaken { get; init; }

    /// <summary>
    /// <see cref="Dropped"/> without devices that are in the sum after all: an update that was being folded when the round closed has been given up by
    /// the round and is sealed into the sum.
    /// </summary>
    /// <param name="contributors">Who is in the sum.</param>
    internal SortedDictionary<string, int> DroppedWithout(IEnumerable<string> contributors)
    {
        SortedDictionary<string, int> dropped = new(Dropped, StringComparer.Ordinal);
        foreach (string contributor in contributors)
        {
            if (DropReasons.TryGetValue(contributor, out string? reason) && --dropped[reason] == 0)
            {
                dropped.Remove(reason);
            }
        }

        return dropped;
    }
}

/// <summary>One round's state machine and deadline. Key: job/round.</summary>
[Alias("federated.round")]
public interface IRoundGrain : IGrainWithStringKey
{
    /// <summary>Opens the round, durably. Idempotent.</summary>
    [Alias("start")]
    Task Start(RoundStart start);

    /// <summary>
    /// What the round is about; null when it was never started. Answered while another call is under way: a round that tells a group of a device
    /// waits for the group, which asks for these when it opens.
    /// </summary>
    [Alias("facts")]
    [AlwaysInterleave]
    Task<RoundStart?> Facts();

    /// <summary>What would become of this update; nothing changes.</summary>
    [Alias("judge")]
    Task<SubmissionAnswer> Judge(Submission submission);

    /// <summary>Which of these updates may be folded; one verdict each.</summary>
    [Alias("admit")]
    Task<SubmissionAnswer[]> Admit(Submission[] submissions);

    /// <summary>These updates are folded and durable.</summary>
    [Alias("accepted")]
    Task Accepted(Submission[] submissions);

    /// <summary>A selected device gives up.</summary>
    [Alias("abort")]
    Task Abort(string deviceId, string reason);

    /// <summary>A selected device gives up because it has sent a masked input for a later round.</summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="reached">The last such round, as the device says; above this one.</param>
    [Alias("ahead")]
    Task Ahead(string deviceId, long reached);

    /// <summary>Whether the round is open and still waits for the device.</summary>
    [Alias("outstanding")]
    Task<bool> IsOutstanding(string deviceId);

    /// <summary>All devices that the open round still waits for.</summary>
    [Alias("all-outstanding")]
    Task<string[]> Outstanding();

    /// <summary>Whether the round takes updates.</summary>
    [Alias("open")]
    [AlwaysInterleave]
    Task<bool> IsOpen();

    /// <summary>A device has advertised its keys to its group. When as many have as the round wants, all groups close their first step.</summary>
    [Alias("advertised")]
    [AlwaysInterleave]
    Task Advertised(string deviceId);

    /// <summary>A group has its sum, durably, or never will.</summary>
    /// <param name="group">The group.</param>
    /// <param name="contributors">Who is in the sum.</param>
    /// <param name="members">Who had advertised keys.</param>
    /// <param name="lossReason">Why members are not in the sum.</param>
    [Alias("group-ended")]
    [AlwaysInterleave]
    Task GroupEnded(int group, Submission[] contributors, string[] members, string lossReason);

    /// <summary>Closes the round without a commit.</summary>
    [Alias("cancel")]
    Task Cancel(string reason);

    /// <summary>Waits up to <paramref name="hold"/> for the close; null when the round is still open then.</summary>
    [Alias("closed")]
    [AlwaysInterleave]
    Task<RoundClosure?> WaitClosed(TimeSpan hold);

    /// <summary>Forgets the round.</summary>
    [Alias("forget")]
    Task Forget();
}
