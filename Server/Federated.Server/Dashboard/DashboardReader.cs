using Federated.Server.Api;
using Federated.Server.Collection;
using Federated.Server.Hosting;
using Federated.Server.Identity;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Dashboard;

/// <summary>What the pages show, from where the HTTP API has it too. Thread-safe.</summary>
internal sealed class DashboardReader(
    IGrainFactory grains,
    FleetCensus census,
    DeviceRegistry registry,
    RefusedCalls refused,
    RoundTimelines timelines,
    TimelineRecorder recorder,
    JobModels models,
    ServerAddresses addresses,
    TimeProvider time)
{
    /// <summary>Rounds of each job whose drop-outs are counted on the fleet's page.</summary>
    public const int RecentRounds = 20;

    private static readonly TimeSpan _fleetStands = TimeSpan.FromMilliseconds(400);

    private readonly Lock _gate = new();
    private FleetSnapshot? _fleet;
    private long _takenAt;

    /// <summary>The clock of the server.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Where devices connect.</summary>
    public Uri DeviceAddress => addresses.Grpc;

    /// <summary>Devices that are enrolled or have checked in, as they stood within the last 0.4 s: every viewer asks, and asks when something happens.</summary>
    public FleetSnapshot Fleet()
    {
        lock (_gate)
        {
            if (_fleet is null || time.GetElapsedTime(_takenAt) > _fleetStands)
            {
                _fleet = new FleetSnapshot(census.Count(), DeviceListing.Of(census.Devices(), registry.Devices.Select(device => DeviceRoutes.Describe(device, refused))));
                _takenAt = time.GetTimestamp();
            }

            return _fleet;
        }
    }

    /// <summary>Refused calls that no enrolled device can be named for.</summary>
    public StrangerCalls Strangers() => refused.OfStrangers();

    /// <summary>A device; null when nothing is known of it.</summary>
    public async Task<DeviceDetail?> DeviceAsync(string deviceId) =>
        ProtocolLimits.IsIdentifier(deviceId) ? await DeviceRoutes.FindAsync(deviceId, registry, refused, census, grains) : null;

    /// <summary>All jobs, the newest first.</summary>
    public async Task<IReadOnlyList<JobStatus>> JobsAsync() => [.. (await FederatedApi.AllAsync(grains)).AsEnumerable().Reverse()];

    /// <summary>A job; null when there is none.</summary>
    public async Task<JobStatus?> JobAsync(string jobId) => ProtocolLimits.IsIdentifier(jobId) ? await FederatedApi.DemandJob(grains, jobId).Status() : null;

    /// <summary>The spec of a job as it was submitted; null when there is none.</summary>
    public async Task<string?> SpecAsync(string jobId) => ProtocolLimits.IsIdentifier(jobId) ? await FederatedApi.DemandJob(grains, jobId).Spec() : null;

    /// <summary>The records of a job's rounds after one.</summary>
    public Task<IReadOnlyList<RoundRecord>> RoundsAsync(string jobId, long after = 0) => FederatedApi.DemandJob(grains, jobId).Rounds(after, TimeSpan.Zero);

    /// <summary>Devices that dropped out of the last <see cref="RecentRounds"/> rounds of each job, by reason.</summary>
    public async Task<IReadOnlyDictionary<string, int>> DropsAsync(IReadOnlyList<JobStatus> jobs)
    {
        Dictionary<string, int> counts = new(StringComparer.Ordinal);
        foreach (JobStatus job in jobs.Where(job => job.IsKnown))
        {
            foreach ((string reason, int count) in (await RoundsAsync(job.JobId, Math.Max(0, job.Round - RecentRounds))).SelectMany(record => record.Dropped))
            {
                counts[reason] = counts.GetValueOrDefault(reason) + count;
            }
        }

        return counts;
    }

    /// <summary>The devices of a round; null when its timeline is not kept.</summary>
    public Task<RoundTimeline?> TimelineAsync(string jobId, long round, CancellationToken ct) => timelines.FindAsync(jobId, round, ct);

    /// <summary>How far the job's open round is; null when none is open.</summary>
    public RoundProgress? OpenRound(string jobId) => recorder.OpenRounds().FirstOrDefault(progress => progress.JobId == jobId);

    /// <summary>The versions of a job's model, oldest first.</summary>
    public async Task<IReadOnlyList<ModelVersion>> VersionsAsync(JobStatus job) =>
        ModelVersions.Of(job, await RoundsAsync(job.JobId), await FederatedApi.DemandJob(grains, job.JobId).KeptVersions());

    /// <summary>The package that a job trains.</summary>
    public Task<PackageManifest> ManifestAsync(JobStatus job, CancellationToken ct) => models.ManifestAsync(ContentHash.Parse(job.PackageSha256), ct);
}
