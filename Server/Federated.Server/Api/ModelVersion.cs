using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.Server.Api;

/// <summary>A version of a job's model.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Version">The version; 0 is what the job began with.</param>
/// <param name="Round">The round that made it; 0 for the first.</param>
/// <param name="AdapterSha256">Hash of its adapter document; empty when nothing is known of it any more.</param>
/// <param name="CommittedAt">When its round had begun plus what it took; null for version 0.</param>
/// <param name="UpdateNorm">L2 norm of the mean update that led to it.</param>
/// <param name="TrainLoss">Mean training loss of that round.</param>
/// <param name="Evaluation">Its central evaluation; null when it was not evaluated.</param>
/// <param name="Kept">Whether its adapter is in the store and can be downloaded.</param>
public sealed record ModelVersion(
    string JobId,
    long Version,
    long Round,
    string AdapterSha256,
    DateTimeOffset? CommittedAt,
    double UpdateNorm,
    double TrainLoss,
    CentralEvaluation? Evaluation,
    bool Kept);

/// <summary>Reads versions out of a job's records.</summary>
internal static class ModelVersions
{
    /// <summary>Every version, oldest first.</summary>
    /// <param name="job">The job.</param>
    /// <param name="records">Its records, in order.</param>
    /// <param name="kept">Adapter hashes by version of what is kept, the committed one included.</param>
    public static IReadOnlyList<ModelVersion> Of(JobStatus job, IReadOnlyList<RoundRecord> records, IReadOnlyDictionary<long, string> kept)
    {
        List<ModelVersion> versions = [new(job.JobId, 0, 0, kept.GetValueOrDefault(0L, ""), null, 0, 0, null, kept.ContainsKey(0))];
        versions.AddRange(records.Where(record => record.Outcome == RoundOutcome.Committed).Select(record => new ModelVersion(
            job.JobId,
            record.ModelVersion,
            record.Round,
            record.AdapterSha256,
            record.Timing.StartedAt + TimeSpan.FromSeconds(record.Timing.TotalSeconds),
            record.UpdateNorm,
            record.TrainLoss,
            record.Evaluation,
            kept.ContainsKey(record.ModelVersion))));
        return versions;
    }
}
