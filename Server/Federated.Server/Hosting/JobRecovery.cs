using Federated.Server.Grains;

namespace Federated.Server.Hosting;

/// <summary>
/// When the silo is up, wakes every job that the store holds: activation goes on from its committed state. A job that cannot be read does not keep
/// the others from going on, and is tried again, as it may be the store that is in trouble.
/// </summary>
internal sealed partial class JobRecovery(IGrainFactory grains, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<JobRecovery> logger) : IStartupTask
{
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public async Task Execute(CancellationToken cancellationToken)
    {
        List<string> left = await RecoverAsync(await grains.GetGrain<IJobDirectoryGrain>(0).List(), cancellationToken);
        if (left.Count > 0)
        {
            _ = Task.Run(() => TryAgainAsync(left, lifetime.ApplicationStopping), CancellationToken.None);
        }
    }

    private async Task TryAgainAsync(List<string> left, CancellationToken ct)
    {
        try
        {
            while (left.Count > 0)
            {
                await Task.Delay(_pause, time, ct);
                left = await RecoverAsync(left, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
        }
    }

    /// <summary>Wakes jobs; gives those that it could not wake.</summary>
    private async Task<List<string>> RecoverAsync(IReadOnlyList<string> jobs, CancellationToken ct)
    {
        List<string> left = [];
        foreach (string jobId in jobs)
        {
            try
            {
                await grains.Of<IJobGrain>(jobId).Recover();
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                LogNotRecovered(jobId, e);
                left.Add(jobId);
            }
        }

        return left;
    }

    [LoggerMessage(13, LogLevel.Error, "Job {Job} cannot be read and does not go on; it is tried again")]
    private partial void LogNotRecovered(string job, Exception exception);
}
