namespace Federated.Server.Grains;

/// <summary>A device that offers itself.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.check-in")]
public sealed record CheckIn
{
    /// <summary>The device.</summary>
    [Id(0)]
    public required string DeviceId { get; init; }

    /// <summary>Its labels.</summary>
    [Id(1)]
    public required Dictionary<string, string> Labels { get; init; }

    /// <summary>Version of its client.</summary>
    [Id(2)]
    public required string ClientVersion { get; init; }

    /// <summary>Its engine.</summary>
    [Id(3)]
    public required string Engine { get; init; }

    /// <summary>How long the call may be held.</summary>
    [Id(4)]
    public required TimeSpan Hold { get; init; }
}

/// <summary>The selector's answer: an assignment, or when to come back.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.check-in-answer")]
public sealed record CheckInAnswer
{
    /// <summary>The job; null when there is no assignment.</summary>
    [Id(0)]
    public string? JobId { get; init; }

    /// <summary>The round.</summary>
    [Id(1)]
    public long Round { get; init; }

    /// <summary>The plan document.</summary>
    [Id(2)]
    public byte[] Plan { get; init; } = [];

    /// <summary>When to come back.</summary>
    [Id(3)]
    public TimeSpan RetryAfter { get; init; }

    /// <summary>Whether the pool was full.</summary>
    [Id(4)]
    public bool PoolFull { get; init; }
}

/// <summary>A job's wish for a cohort.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.demand")]
public sealed record CohortDemand
{
    /// <summary>The job.</summary>
    [Id(0)]
    public required string JobId { get; init; }

    /// <summary>The round.</summary>
    [Id(1)]
    public required long Round { get; init; }

    /// <summary>Devices wanted.</summary>
    [Id(2)]
    public required int Count { get; init; }

    /// <summary>Fewest devices the job makes do with.</summary>
    [Id(6)]
    public required int Fewest { get; init; }

    /// <summary>Fewest devices that must wait before any is chosen.</summary>
    [Id(3)]
    public required int MinimumPool { get; init; }

    /// <summary>Seeds the choice.</summary>
    [Id(4)]
    public required ulong Seed { get; init; }

    /// <summary>How long to wait for the devices.</summary>
    [Id(5)]
    public required TimeSpan Hold { get; init; }
}

/// <summary>The pool of waiting devices of one population, and pace steering. Key: the population.</summary>
[Alias("federated.selector")]
public interface ISelectorGrain : IGrainWithStringKey
{
    /// <summary>Puts the device into the pool and answers when it is assigned or the hold ends; a chosen device is held until its plan is there, a few seconds at most.</summary>
    [Alias("check-in")]
    [AlwaysInterleave]
    Task<CheckInAnswer> CheckIn(CheckIn device, CancellationToken ct);

    /// <summary>The device stays away by its own policy: it is not counted among those that will come, until it checks in again.</summary>
    [Alias("withhold")]
    Task Withhold(CheckIn device, string reason, string detail);

    /// <summary>
    /// Chooses a cohort uniformly from the pool and reserves it. Jobs are served in the order in which they asked. Empty when the
    /// pool was too small until the hold ended.
    /// </summary>
    [Alias("select")]
    [AlwaysInterleave]
    Task<string[]> Select(CohortDemand demand);

    /// <summary>The job wants no cohort any more: its open demand is answered with nobody, and devices are not told to come for it.</summary>
    [Alias("withdraw")]
    Task Withdraw(string jobId);

    /// <summary>Puts reserved devices that are not to be assigned back into the pool.</summary>
    [Alias("free")]
    Task Free(string[] cohort);

    /// <summary>What each of these devices last gave as the value of a label, in their order; empty where it has none.</summary>
    [Alias("label-values")]
    Task<string[]> LabelValues(string[] devices, string label);

    /// <summary>Hands the plan to the reserved devices; a device that comes back before the round closes gets it again.</summary>
    [Alias("assign")]
    Task Assign(string jobId, long round, string[] cohort, byte[] plan);

    /// <summary>The round is over: its devices are free.</summary>
    [Alias("release")]
    Task Release(string jobId, long round);

    /// <summary>How many devices wait.</summary>
    [Alias("waiting")]
    Task<int> Waiting();
}
