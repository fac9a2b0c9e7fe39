namespace Federated.Server.Rounds;

/// <summary>How a device's part in a round ended.</summary>
public enum ClientOutcome
{
    /// <summary>The round is open and waits for the device.</summary>
    Working,

    /// <summary>Its update is in the sum and durable.</summary>
    Done,

    /// <summary>Its update came after the round had closed.</summary>
    Late,

    /// <summary>It gave up, or the round gave it up, for a reason: nothing of it came.</summary>
    Dropped,

    /// <summary>The round closed without waiting for it, and nothing of it has come since.</summary>
    Missing,
}

/// <summary>
/// What one device did in one round. Instants are of the server's clock; durations are what the device measured and reported, which nobody can
/// check. All of it depends on clock and machine, so none of it is in the repeatable part of a <see cref="RoundRecord"/>.
/// </summary>
public sealed record ClientTimeline
{
    /// <summary>The device.</summary>
    public required string DeviceId { get; init; }

    /// <summary>When the check-in came that was answered with the assignment.</summary>
    public required DateTimeOffset CheckedInAt { get; init; }

    /// <summary>When the assignment was first handed to it.</summary>
    public required DateTimeOffset AssignedAt { get; init; }

    /// <summary>When its last submission began; null before the first.</summary>
    public DateTimeOffset? UploadStartedAt { get; init; }

    /// <summary>When its part ended, or the round closed without it; null while it works.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How its part ended.</summary>
    public ClientOutcome Outcome { get; init; }

    /// <summary>Why it was dropped; empty otherwise.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Outcome of the last submission that was not accepted; empty when there was none.</summary>
    public string LastRefusal { get; init; } = "";

    /// <summary>Time it downloaded, as reported with the submission.</summary>
    public double DownloadSeconds { get; init; }

    /// <summary>
    /// Time it trained, as reported with the submission; 0 from a device that does not tell. Under secure aggregation none does: how long training took says how many
    /// examples there are.
    /// </summary>
    public double ComputeSeconds { get; init; }

    /// <summary>Time it trained; null from a device that does not tell, whose training is in <see cref="OtherSeconds"/>.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public double? ToldComputeSeconds => ComputeSeconds > 0 ? ComputeSeconds : null;

    /// <summary>Time it encoded the update, as reported with the submission; 0 from a client that does not tell.</summary>
    public double EncodeSeconds { get; init; }

    /// <summary>Its peak memory in bytes, as reported with the submission.</summary>
    public long PeakMemoryBytes { get; init; }

    /// <summary>From the start of its last submission to the server's answer; null before that.</summary>
    public double? UploadSeconds => Outcome is ClientOutcome.Done or ClientOutcome.Late && UploadStartedAt is { } start && EndedAt is { } end
        ? (end - start).TotalSeconds
        : null;

    /// <summary>
    /// What is left between assignment and submission once downloading, training and encoding are taken off: waiting for the group's keys, training that it does not tell, and
    /// whatever else the device did. Null before a submission; never negative.
    /// </summary>
    public double? OtherSeconds => UploadStartedAt is { } start
        ? Math.Max(0, (start - AssignedAt).TotalSeconds - DownloadSeconds - ComputeSeconds - EncodeSeconds)
        : null;
}

/// <summary>The devices of one round, in ordinal order.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Round">The round, from 1.</param>
/// <param name="Open">Whether the round still runs, so that the rest may change.</param>
/// <param name="Clients">Every device to which the assignment was handed since the server started.</param>
public sealed record RoundTimeline(string JobId, long Round, bool Open, IReadOnlyList<ClientTimeline> Clients);

/// <summary>How far the devices of an open round are.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Round">The round, from 1.</param>
/// <param name="Training">Devices with the plan whose submission has not begun.</param>
/// <param name="Uploading">Devices whose submission is under way, or was refused and may be tried again.</param>
/// <param name="Done">Updates in the sum.</param>
/// <param name="Late">Updates that came too late.</param>
/// <param name="Dropped">Devices that gave up.</param>
public sealed record RoundProgress(string JobId, long Round, int Training, int Uploading, int Done, int Late, int Dropped);
