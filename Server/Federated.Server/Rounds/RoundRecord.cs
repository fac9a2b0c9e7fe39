using System.Text.Json.Serialization;
namespace Federated.Server.Rounds;

/// <summary>How a round ended.</summary>
public enum RoundOutcome
{
    /// <summary>Its aggregate became the next model version.</summary>
    Committed,

    /// <summary>The model stands; <see cref="RoundRecord.Reason"/> says why.</summary>
    Abandoned,
}

/// <summary>A central evaluation on held-out data.</summary>
/// <param name="Examples">How many held-out examples.</param>
/// <param name="Loss">Mean loss.</param>
/// <param name="Accuracy">Share of classes or tokens told rightly, 0 to 1; null for a model that tells none.</param>
/// <param name="MeanAbsoluteError">For a regression.</param>
/// <param name="CosineSimilarity">For an embedding: the mean, −1 to 1.</param>
public sealed record CentralEvaluation(long Examples, double Loss, double? Accuracy, double? MeanAbsoluteError = null, double? CosineSimilarity = null);

/// <summary>The groups of a round under secure aggregation.</summary>
/// <param name="Count">How many there were.</param>
/// <param name="Abandoned">Why each of those was abandoned that have no sum.</param>
public sealed record RoundGroups(int Count, IReadOnlyList<string> Abandoned);

/// <summary>Everything in a round's record that depends on the clock or the machine; the rest repeats with the seed.</summary>
public sealed record RoundTiming
{
    /// <summary>When the job asked for the cohort.</summary>
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>From asking for a cohort to having it.</summary>
    public double SelectSeconds { get; init; }

    /// <summary>From the first assignment to the close of the round.</summary>
    public double CollectSeconds { get; init; }

    /// <summary>Totalling, server optimizer, checkpoint.</summary>
    public double CommitSeconds { get; init; }

    /// <summary>Central evaluation.</summary>
    public double EvaluateSeconds { get; init; }

    /// <summary>All of the round.</summary>
    public double TotalSeconds { get; init; }

    /// <summary>Processor time of the server process during the round, all jobs and, when hosted by the simulator, clients included.</summary>
    public double ProcessCpuSeconds { get; init; }

    /// <summary>Sum over the contributors of the time they trained.</summary>
    public double ClientComputeSeconds { get; init; }

    /// <summary>Sum over the contributors of the time they downloaded.</summary>
    public double ClientDownloadSeconds { get; init; }

    /// <summary>Largest peak memory any contributor reported, in bytes.</summary>
    public long ClientPeakMemoryBytes { get; init; }

    /// <summary>Writes of the partial sum; many updates share one.</summary>
    public int DurableWrites { get; init; }
}

/// <summary>The statistics of one round. Everything outside <see cref="Timing"/> is repeatable under a seed.</summary>
public sealed record RoundRecord
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The round, from 1.</summary>
    public required long Round { get; init; }

    /// <summary>Committed or abandoned.</summary>
    public required RoundOutcome Outcome { get; init; }

    /// <summary>Why it was abandoned; empty when it was committed.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Version of the model after the round.</summary>
    public required long ModelVersion { get; init; }

    /// <summary>Hash of that model's adapter document.</summary>
    public required string AdapterSha256 { get; init; }

    /// <summary>Updates the round wanted.</summary>
    public required int Goal { get; init; }

    /// <summary>Devices selected.</summary>
    public required int Selected { get; init; }

    /// <summary>Updates accepted.</summary>
    public required int Accepted { get; init; }

    /// <summary>Updates that came after the round had closed, as far as known when the record is read.</summary>
    public int Late { get; init; }

    /// <summary>Selected devices that gave up or never reported, by reason.</summary>
    public IReadOnlyDictionary<string, int> Dropped { get; init; } = new SortedDictionary<string, int>(StringComparer.Ordinal);

    /// <summary>Submissions refused, by outcome.</summary>
    public IReadOnlyDictionary<string, int> Refused { get; init; } = new SortedDictionary<string, int>(StringComparer.Ordinal);

    /// <summary>Accepted devices in ordinal order.</summary>
    public IReadOnlyList<string> Contributors { get; init; } = [];

    /// <summary>Examples behind the accepted updates.</summary>
    public long Examples { get; init; }

    /// <summary>Mean training loss, weighted by examples.</summary>
    public double TrainLoss { get; init; }

    /// <summary>The same; null when no update was accepted, which has no loss.</summary>
    [JsonIgnore]
    public double? MeasuredTrainLoss => Accepted > 0 ? TrainLoss : null;

    /// <summary>L2 norm of the weighted mean update.</summary>
    public double UpdateNorm { get; init; }

    /// <summary>
    /// ‖Σp·BᵢAᵢ − B̄Ā‖_F / ‖Σp·BᵢAᵢ‖_F over all LoRA targets: how far the product of the averaged factors is from the averaged product. Null where no rule
    /// averages both factors or the job does not ask for it.
    /// </summary>
    public double? AveragingBias { get; init; }

    /// <summary>The groups in which updates were masked; null without secure aggregation.</summary>
    public RoundGroups? Groups { get; init; }

    /// <summary>Norm to which updates were clipped; null without the linear codec.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>Share of the updates that had to be clipped; null without the linear codec.</summary>
    public double? ClippedShare { get; init; }

    /// <summary>Coordinates, over all updates, that the quantizer had to limit so that no sum can wrap; null without the linear codec.</summary>
    public long? LimitedCoordinates { get; init; }

    /// <summary>ε that the job has spent after this round, for the job's δ; null without differential privacy.</summary>
    public double? Epsilon { get; init; }

    /// <summary>Null when this round was not evaluated.</summary>
    public CentralEvaluation? Evaluation { get; init; }

    /// <summary>Encoded message bytes that the contributors sent, from assignment to submission.</summary>
    public long BytesUp { get; init; }

    /// <summary>Encoded message bytes that the contributors received, from assignment to submission.</summary>
    public long BytesDown { get; init; }

    /// <summary>Clock and machine.</summary>
    public RoundTiming Timing { get; init; } = new();
}
