using Federated.Server.Grains;
using Federated.Server.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Federated.Server.Telemetry;

/// <summary>Whether the server can do its work: the store answers, and so do the grains.</summary>
internal sealed class StoreCheck(IBlobStore blobs, IGrainFactory grains) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        _ = await blobs.ReadAsync("health/probe", cancellationToken);
        _ = await grains.GetGrain<IJobDirectoryGrain>(0).List().WaitAsync(cancellationToken);
        return HealthCheckResult.Healthy();
    }
}
