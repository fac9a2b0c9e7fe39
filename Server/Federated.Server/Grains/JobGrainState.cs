using Federated.Server.Jobs;
using Federated.Server.Privacy;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Grains;

/// <summary>What a job is and where it stands: the one place whose write commits a round.</summary>
public sealed class JobGrainState
{
    /// <summary>The spec's text.</summary>
    public string SpecJson { get; set; } = "";

    /// <summary>Running, paused, ended.</summary>
    public JobState State { get; set; }

    /// <summary>Why it failed or ended.</summary>
    public string Reason { get; set; } = "";

    /// <summary>Hash of the package manifest.</summary>
    public string PackageSha256 { get; set; } = "";

    /// <summary>Version of the committed model.</summary>
    public long ModelVersion { get; set; }

    /// <summary>Hash of its adapter document.</summary>
    public string AdapterSha256 { get; set; } = "";

    /// <summary>Length of its adapter document.</summary>
    public long AdapterLengthBytes { get; set; }

    /// <summary>Adapters of earlier versions that are still kept, oldest first: hash by version.</summary>
    public List<KeptVersion> Kept { get; set; } = [];

    /// <summary>What leads from version to version under the compact downlink, oldest first.</summary>
    public List<KeptChange> Changes { get; set; } = [];

    /// <summary>P.</summary>
    public int ParameterCount { get; set; }

    /// <summary>Those of P that devices train, and a dense update has; null in a state from before they were counted.</summary>
    public int? TrainedCount { get; set; }

    /// <summary>Parameters of the full model.</summary>
    public long FullModelParameters { get; set; }

    /// <summary>The last round that has ended.</summary>
    public long LastRound { get; set; }

    /// <summary>The last round that devices say they have been in; beyond <see cref="LastRound"/> after the store was restored from a backup.</summary>
    public long ReachedRound { get; set; }

    /// <summary>Numbers up to <see cref="LastRound"/> that no round of this store has.</summary>
    public long SkippedRounds { get; set; }

    /// <summary>Those of them that lie behind <see cref="ForgottenRound"/>, ascending.</summary>
    public List<RoundGap> Gaps { get; set; } = [];

    /// <summary>The round up to which nothing is kept but records and timelines, as far as is known.</summary>
    public long ForgottenRound { get; set; }

    /// <summary>The round under way; 0 when there is none.</summary>
    public long ActiveRound { get; set; }

    /// <summary>Abandoned rounds in a row.</summary>
    public int AbandonedInARow { get; set; }

    /// <summary>Why the last round was abandoned; empty when it was committed.</summary>
    public string AbandonReason { get; set; } = "";

    /// <summary>First round whose evaluation reached the target.</summary>
    public long? RoundsToTarget { get; set; }

    /// <summary>The evaluation of the model before the first round.</summary>
    public CentralEvaluation? InitialEvaluation { get; set; }

    /// <summary>The last evaluation.</summary>
    public CentralEvaluation? Evaluation { get; set; }

    /// <summary>Clip norm of the next round, once a round has moved it.</summary>
    public double? ClipNorm { get; set; }

    /// <summary>What privacy it has spent; null without differential privacy.</summary>
    public PrivacyLedger? Privacy { get; set; }

    /// <summary>When it was submitted.</summary>
    public DateTimeOffset SubmittedAt { get; set; }

    /// <summary>The number of the round under way, or of the next one.</summary>
    internal long NextRound => Math.Max(LastRound, ReachedRound) + 1;

    /// <summary>Rounds that have ended, however they are numbered.</summary>
    internal long EndedRounds => LastRound - SkippedRounds;

    /// <summary>A round has ended; numbers between the one before and this are passed over.</summary>
    internal void Ended(long round)
    {
        if (round > LastRound + 1)
        {
            Gaps.Add(new RoundGap(LastRound + 1, round - 1));
            SkippedRounds += round - LastRound - 1;
        }

        LastRound = round;
    }

    /// <summary>A job that has just been submitted.</summary>
    /// <param name="specJson">The spec's text.</param>
    /// <param name="spec">The same, parsed.</param>
    /// <param name="package">Hash of the package manifest.</param>
    /// <param name="model">What training starts from.</param>
    /// <param name="manifest">The package's manifest.</param>
    /// <param name="now">When it was submitted.</param>
    internal static JobGrainState Submitted(
        string specJson, JobSpec spec, ContentHash package, CommittedModel model, PackageManifest manifest, DateTimeOffset now) => new()
    {
        SpecJson = specJson,
        State = JobState.Running,
        PackageSha256 = package.Hex,
        AdapterSha256 = model.Adapter.Hex,
        AdapterLengthBytes = model.AdapterLengthBytes,
        ParameterCount = manifest.Layout.Length,
        TrainedCount = manifest.Layout.Parameters.Where((_, i) => manifest.Parameters[i].HasGradient).Sum(parameter => parameter.Length),
        FullModelParameters = manifest.FullModelParameters,
        SubmittedAt = now,
        Privacy = spec.Privacy is null ? null : new PrivacyLedger { NoiseKey = ServerNoise.CreateKey() },
    };

    /// <summary>The job as the API shows it.</summary>
    /// <param name="jobId">Its identifier.</param>
    /// <param name="spec">The parsed <see cref="SpecJson"/>.</param>
    /// <param name="trouble">What is told of a job that has no <see cref="Reason"/>: why its last round broke off; empty when it did not.</param>
    internal JobStatus ToStatus(string jobId, JobSpec spec, string trouble = "") => new()
    {
        JobId = jobId,
        Name = spec.Name,
        Population = spec.Population,
        State = State,
        Reason = Reason.Length > 0 ? Reason : trouble,
        Round = LastRound,
        NextRound = NextRound,
        SkippedRounds = NextRound - 1 - EndedRounds,
        MaxRounds = spec.Rounds + NextRound - 1 - EndedRounds,
        ModelVersion = ModelVersion,
        AdapterSha256 = AdapterSha256,
        PackageSha256 = PackageSha256,
        InitialAccuracy = InitialEvaluation?.Accuracy,
        InitialLoss = InitialEvaluation?.Loss,
        InitialEvaluation = InitialEvaluation,
        Accuracy = Evaluation?.Accuracy,
        Loss = Evaluation?.Loss,
        Evaluation = Evaluation,
        Privacy = JobPrivacy.Of(spec, Privacy),
        RoundsToTarget = RoundsToTarget,
        DenseAdapterBytes = (long)(TrainedCount ?? ParameterCount) * sizeof(float),
        DenseFullModelBytes = FullModelParameters * sizeof(float),
        SubmittedAt = SubmittedAt,
    };

    /// <summary>Hashes of the adapters that are in the store, by version: those that are kept, and the committed one.</summary>
    internal Dictionary<long, string> StoredVersions()
    {
        Dictionary<long, string> stored = Kept.ToDictionary(version => version.Version, version => version.AdapterSha256);
        stored[ModelVersion] = AdapterSha256;
        return stored;
    }
}

/// <summary>An object in the store.</summary>
public sealed record StoredObject(string Sha256, long LengthBytes)
{
    /// <summary>The same by value.</summary>
    internal static StoredObject Of(ObjectReference reference) => new(reference.Hash.Hex, reference.LengthBytes);

    /// <summary>The same as plans carry it.</summary>
    internal ObjectReference ToReference() => new(ContentHash.Parse(Sha256), LengthBytes);
}

/// <summary>What leads to a version from the one before (<see cref="AdapterChange"/>), and the version in 8 bits while that is offered.</summary>
public sealed record KeptChange(long Version, StoredObject Document, ulong? Seed, int SetSize, StoredObject? Rounded);

/// <summary>Numbers that no round has, both ends included.</summary>
public sealed record RoundGap(long First, long Last);

/// <summary>An earlier model version in the store.</summary>
public sealed record KeptVersion(long Version, string AdapterSha256, long AdapterLengthBytes);
