using Federated.Server.Grains;

namespace Federated.Server.Hosting;

/// <summary>When the silo is up, wakes every job that the store holds: activation goes on from its committed state.</summary>
internal sealed class JobRecovery(IGrainFactory grains) : IStartupTask
{
    /// <inheritdoc/>
    public async Task Execute(CancellationToken cancellationToken)
    {
        foreach (string jobId in await grains.GetGrain<IJobDirectoryGrain>(0).List())
        {
            await grains.Of<IJobGrain>(jobId).Recover();
        }
    }
}
