using System.Text.Json.Serialization;
using Federated.Server.Privacy;
using Federated.Server.Rounds;

namespace Federated.Server.Jobs;

/// <summary>Where a job stands.</summary>
public enum JobState
{
    /// <summary>Rounds are being run.</summary>
    Running,

    /// <summary>A person paused it; no new round begins.</summary>
    Paused,

    /// <summary>It reached its last round, with a model from at least one of them, or its target, or its privacy budget.</summary>
    Completed,

    /// <summary>A person cancelled it.</summary>
    Cancelled,

    /// <summary>It cannot go on; the reason says why.</summary>
    Failed,
}

/// <summary>A job as the API shows it.</summary>
public sealed record JobStatus
{
    /// <summary>Its identifier.</summary>
    public required string JobId { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The population it trains on.</summary>
    public required string Population { get; init; }

    /// <summary>Where it stands.</summary>
    public required JobState State { get; init; }

    /// <summary>Why it failed or ended early; of one that is not over, why its last round broke off, until a round works again.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The last round that has ended.</summary>
    public long Round { get; init; }

    /// <summary>The number of the round under way, or of the next one: the one after <see cref="Round"/>, or after a restored backup the one after the last that devices have been in.</summary>
    public long NextRound { get; init; }

    /// <summary>Numbers below <see cref="NextRound"/> that were passed over after a restored backup.</summary>
    public long SkippedRounds { get; init; }

    /// <summary>The number of its last round: as many as it may run, and what was passed over.</summary>
    public long MaxRounds { get; init; }

    /// <summary>Version of the committed model.</summary>
    public long ModelVersion { get; init; }

    /// <summary>Hash of the committed adapter document.</summary>
    public string AdapterSha256 { get; init; } = "";

    /// <summary>Hash of the package manifest.</summary>
    public string PackageSha256 { get; init; } = "";

    /// <summary>Accuracy of the model before the first round.</summary>
    public double? InitialAccuracy { get; init; }

    /// <summary>Loss of the model before the first round.</summary>
    public double? InitialLoss { get; init; }

    /// <summary>The central evaluation of the model before the first round, with the score of its task.</summary>
    public CentralEvaluation? InitialEvaluation { get; init; }

    /// <summary>Whether the job could be read; when not, only its name and a reason are known.</summary>
    [JsonIgnore]
    public bool IsKnown => PackageSha256.Length > 0;

    /// <summary>Last central evaluation's accuracy.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Last central evaluation's loss.</summary>
    public double? Loss { get; init; }

    /// <summary>Last central evaluation, with the score of its task.</summary>
    public CentralEvaluation? Evaluation { get; init; }

    /// <summary>First round whose evaluation reached the target.</summary>
    public long? RoundsToTarget { get; init; }

    /// <summary>What differential privacy the job has spent; null without it.</summary>
    public JobPrivacy? Privacy { get; init; }

    /// <summary>Bytes of the trained parameters as plain float32: what a dense update has. Base weights that a job merges its changes into are not sent.</summary>
    public long DenseAdapterBytes { get; init; }

    /// <summary>Bytes of the full model as plain float32.</summary>
    public long DenseFullModelBytes { get; init; }

    /// <summary>When it was submitted.</summary>
    public DateTimeOffset SubmittedAt { get; init; }
}
