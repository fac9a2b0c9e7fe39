using Federated.Server.Grains;

namespace Federated.Server.Hosting;

/// <summary>When the silo is up, wakes every job that the store holds: activation goes on from its committed state.</summary>
internal sealed partial class JobRecovery(IGrainFactory grains, ILogger<JobRecovery> logger) : IStartupTask
{
    /// <inheritdoc/>
    public async Task Execute(CancellationToken cancellationToken)
    {
        foreach (string jobId in await grains.GetGrain<IJobDirectoryGrain>(0).List())
        {
            try
            {
                await grains.Of<IJobGrain>(jobId).Recover();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // The other jobs go on.
                LogNotRecovered(jobId, e);
            }
        }
    }

    [LoggerMessage(13, LogLevel.Error, "Job {Job} cannot be read and does not go on")]
    private partial void LogNotRecovered(string job, Exception exception);
}
