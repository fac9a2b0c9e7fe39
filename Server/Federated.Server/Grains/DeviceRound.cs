using Federated.Server.Rounds;

namespace Federated.Server.Grains;

/// <summary>A device's part in a round that is over, as its history keeps it.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.device-round")]
public sealed record DeviceRound
{
    /// <summary>The job.</summary>
    [Id(0)]
    public required string JobId { get; init; }

    /// <summary>The round, from 1.</summary>
    [Id(1)]
    public required long Round { get; init; }

    /// <summary>
    /// How its part ended: done; late when its update came after the close, however long after; dropped, with the reason, when the round had given it up and nothing came; missing
    /// when the round closed without waiting for it and nothing came.
    /// </summary>
    [Id(2)]
    public required ClientOutcome Outcome { get; init; }

    /// <summary>When its part ended.</summary>
    [Id(3)]
    public DateTimeOffset EndedAt { get; init; }

    /// <summary>Why it was dropped; empty otherwise.</summary>
    [Id(4)]
    public string Reason { get; init; } = "";

    /// <summary>Outcome of the last submission that was not accepted; empty when there was none.</summary>
    [Id(5)]
    public string LastRefusal { get; init; } = "";

    /// <summary>From the assignment to the end of its part; 0 when it never had the plan.</summary>
    [Id(6)]
    public double TotalSeconds { get; init; }

    /// <summary>Time it downloaded, as it reported.</summary>
    [Id(7)]
    public double DownloadSeconds { get; init; }

    /// <summary>Time it trained, as it reported.</summary>
    [Id(8)]
    public double ComputeSeconds { get; init; }

    /// <summary>From the start of its last submission to the answer; 0 when there was none.</summary>
    [Id(9)]
    public double UploadSeconds { get; init; }

    /// <summary>Time it encoded the update, as it reported.</summary>
    [Id(10)]
    public double EncodeSeconds { get; init; }

    /// <summary>The part that a timeline and the round tell of; without a timeline, only how it ended.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="round">The round, from 1.</param>
    /// <param name="client">What the edge saw; null when it saw nothing, or has forgotten it.</param>
    /// <param name="contributed">Whether its update is in the sum.</param>
    /// <param name="dropReason">Why the round gave it up; null when it did not.</param>
    /// <param name="now">When the round ended.</param>
    public static DeviceRound Of(string jobId, long round, ClientTimeline? client, bool contributed, string? dropReason, DateTimeOffset now)
    {
        ClientOutcome outcome = contributed ? ClientOutcome.Done
            : client?.Outcome is ClientOutcome.Late or ClientOutcome.Dropped ? client.Outcome
            : dropReason is not null ? ClientOutcome.Dropped : ClientOutcome.Missing;
        return Timed(jobId, round, client, now) with
        {
            Outcome = outcome,
            Reason = outcome == ClientOutcome.Dropped ? client is { Reason.Length: > 0 } ? client.Reason : dropReason ?? "" : "",
        };
    }

    /// <summary>The part of a device whose update came after the round had closed.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="round">The round, from 1.</param>
    /// <param name="client">What the edge saw; null when it has forgotten the round.</param>
    /// <param name="refusal">Outcome of the submission.</param>
    /// <param name="now">When it came.</param>
    public static DeviceRound Late(string jobId, long round, ClientTimeline? client, string refusal, DateTimeOffset now) =>
        Timed(jobId, round, client, now) with { Outcome = ClientOutcome.Late, LastRefusal = refusal };

    private static DeviceRound Timed(string jobId, long round, ClientTimeline? client, DateTimeOffset now) => new()
    {
        JobId = jobId,
        Round = round,
        Outcome = ClientOutcome.Missing,
        EndedAt = client?.EndedAt ?? now,
        LastRefusal = client?.LastRefusal ?? "",
        TotalSeconds = client is { EndedAt: { } end } ? (end - client.AssignedAt).TotalSeconds : 0,
        DownloadSeconds = client?.DownloadSeconds ?? 0,
        ComputeSeconds = client?.ComputeSeconds ?? 0,
        EncodeSeconds = client?.EncodeSeconds ?? 0,
        UploadSeconds = client?.UploadSeconds ?? 0,
    };

    /// <summary>What went wrong for the device; null when its update was taken at the first try.</summary>
    public string? Error => (Outcome, LastRefusal) switch
    {
        (ClientOutcome.Done, "") => null,
        (ClientOutcome.Done, _) => $"refused before it was taken: {LastRefusal}",
        (ClientOutcome.Dropped, "") => DropText,
        (ClientOutcome.Dropped, _) => $"{DropText}; refused before that: {LastRefusal}",
        (ClientOutcome.Late, RefusalTally.RoundAbandoned) => "its update came after the round had been abandoned",
        (ClientOutcome.Late, _) => "its update came after the round had closed",
        (_, "") => "nothing had come when the round closed without it",
        _ => $"refused: {LastRefusal}",
    };

    private string DropText => Reason switch
    {
        RoundStateMachine.DeadlineReason => "nothing had come at the deadline",
        RoundStateMachine.LeftOutReason => "its aggregation group had begun without it",
        _ => $"gave up: {Reason}",
    };
}

/// <summary>Something that went wrong on a device.</summary>
/// <param name="At">When.</param>
/// <param name="JobId">In which job.</param>
/// <param name="Round">In which of its rounds.</param>
/// <param name="Text">What.</param>
[GenerateSerializer]
[Immutable]
[Alias("federated.device-error")]
public sealed record DeviceError(DateTimeOffset At, string JobId, long Round, string Text);
