using Federated.Server.Collection;
using Federated.Server.Events;
using Federated.Server.Jobs;
using Federated.Shared.Models;

namespace Federated.Server.Grains;

/// <summary>Opens runners; one a job.</summary>
internal sealed class RoundRunnerFactory(
    JobModels models,
    PartialSumStore sums,
    UpdateStaging staging,
    IGrainFactory grains,
    Hosting.ServerThreads threads,
    EventFeed events,
    TimelineRecorder timelines,
    TimeProvider time)
{
    /// <summary>What deletes what a job no longer needs.</summary>
    public JobRetention RetentionOf(string jobId) => new(jobId, models, grains);

    /// <summary>Loads the job's model at its committed version.</summary>
    public async Task<RoundRunner> OpenAsync(string jobId, JobSpec spec, IPersistentState<JobGrainState> state, CancellationToken ct)
    {
        CommittedModel model = RoundRunner.Committed(state.State);
        JobRuntime runtime = await JobRuntime.OpenAsync(
            jobId, spec, ContentHash.Parse(state.State.PackageSha256), model, models, threads.Count, ct);
        return new RoundRunner(jobId, spec, state, runtime, models, sums, staging, grains, events, timelines, time);
    }
}
