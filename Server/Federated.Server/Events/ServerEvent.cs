using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Server.Collection;
using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.Server.Events;

/// <summary>Where an open round stands.</summary>
public enum RoundStage
{
    /// <summary>The job waits for a cohort.</summary>
    Selecting,

    /// <summary>The cohort has the plan; updates are being collected.</summary>
    Collecting,

    /// <summary>The round is closed; aggregate, server optimizer, checkpoint.</summary>
    Committing,

    /// <summary>The new model is evaluated.</summary>
    Evaluating,
}

/// <summary>Something happened that a person who watches wants to see. Made by whoever saw it; the feed gives it its number and time.</summary>
public abstract record ServerEvent
{
    private static readonly Dictionary<string, Type> _types = new(StringComparer.Ordinal)
    {
        ["round-stage"] = typeof(RoundStageChanged),
        ["round-progress"] = typeof(RoundProgressed),
        ["round"] = typeof(RoundRecorded),
        ["job"] = typeof(JobChanged),
        ["fleet"] = typeof(FleetChanged),
        ["refused"] = typeof(CallsRefused),
        ["missed"] = typeof(EventsMissed),
    };

    private byte[]? _json;

    /// <summary>What happened, as the name of a server-sent event.</summary>
    [JsonIgnore]
    public abstract string Kind { get; }

    /// <summary>Number of the event: rises by one, also over restarts of the server it only rises. 0 before it is published.</summary>
    public long EventId { get; init; }

    /// <summary>When it was published.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The job that it concerns; null when it concerns none alone.</summary>
    [JsonIgnore]
    public virtual string? JobOf => null;

    /// <summary>The event as one line of JSON in UTF-8; written once, however many read it.</summary>
    internal byte[] ToJson() => _json ??= JsonSerializer.SerializeToUtf8Bytes(this, GetType(), RoundRecords.Json);

    /// <summary>Reads an event; null for a kind that this version does not know.</summary>
    internal static ServerEvent? FromJson(string kind, string json) =>
        _types.TryGetValue(kind, out Type? type) ? (ServerEvent?)JsonSerializer.Deserialize(json, type, RoundRecords.Json) : null;
}

/// <summary>A round entered a stage.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Round">The round, from 1.</param>
/// <param name="Stage">The stage it is in from now on.</param>
/// <param name="Selected">Devices selected; 0 while there is no cohort.</param>
/// <param name="Goal">Updates the round wants.</param>
public sealed record RoundStageChanged(string JobId, long Round, RoundStage Stage, int Selected, int Goal) : ServerEvent
{
    /// <inheritdoc/>
    public override string Kind => "round-stage";

    /// <inheritdoc/>
    public override string? JobOf => JobId;
}

/// <summary>How far the devices of an open round are. Published at most once a second, while somebody watches.</summary>
/// <param name="Progress">Devices by what they do.</param>
public sealed record RoundProgressed(RoundProgress Progress) : ServerEvent
{
    /// <inheritdoc/>
    public override string Kind => "round-progress";

    /// <inheritdoc/>
    public override string? JobOf => Progress.JobId;
}

/// <summary>A round has a record, or the record of an ended round changed because an update came late or was refused.</summary>
/// <param name="Record">The record.</param>
public sealed record RoundRecorded(RoundRecord Record) : ServerEvent
{
    /// <inheritdoc/>
    public override string Kind => "round";

    /// <inheritdoc/>
    public override string? JobOf => Record.JobId;
}

/// <summary>A job was submitted, paused, resumed, ended, or committed a round.</summary>
/// <param name="Job">The job as it stands.</param>
public sealed record JobChanged(JobStatus Job) : ServerEvent
{
    /// <inheritdoc/>
    public override string Kind => "job";

    /// <inheritdoc/>
    public override string? JobOf => Job.JobId;
}

/// <summary>How many devices do what. Published at most once a second, while somebody watches.</summary>
/// <param name="Fleet">The counts.</param>
public sealed record FleetChanged(FleetCounts Fleet) : ServerEvent
{
    /// <inheritdoc/>
    public override string Kind => "fleet";
}

/// <summary>Calls were refused for the identity of who made them. Published at most once a second, while somebody watches.</summary>
/// <param name="Total">How many there were since the server started.</param>
public sealed record CallsRefused(long Total) : ServerEvent
{
    /// <inheritdoc/>
    public override string Kind => "refused";
}

/// <summary>Events between two numbers are gone for this reader: it was too slow, or away too long. It reads the state anew.</summary>
/// <param name="After">Last number the reader had.</param>
/// <param name="Next">First number that follows.</param>
public sealed record EventsMissed(long After, long Next) : ServerEvent
{
    /// <inheritdoc/>
    public override string Kind => "missed";
}
