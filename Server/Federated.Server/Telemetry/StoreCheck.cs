using Federated.Server.Grains;
using Federated.Server.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Federated.Server.Telemetry;

/// <summary>Whether the server can do its work: the store takes writes, and the grains answer. What is not well is told to everybody who asks, therefore without names.</summary>
internal sealed class StoreCheck(StoreProbe probe, IGrainFactory grains) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await probe.DemandAsync(cancellationToken);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy("the store did not answer in time", e);
        }
        catch (Exception e) when (StoreFailure.Is(e))
        {
            return HealthCheckResult.Unhealthy($"the store takes no writes ({StoreFailure.OfTheSystem(e) ?? "see the server's log"})", e);
        }
        catch (Exception e)
        {
            return HealthCheckResult.Unhealthy("the store cannot be tried; see the server's log", e);
        }

        try
        {
            _ = await grains.GetGrain<IJobDirectoryGrain>(0).List().WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy("the grains did not answer in time", e);
        }
        catch (Exception e)
        {
            return HealthCheckResult.Unhealthy("the grains do not answer; see the server's log", e);
        }

        return HealthCheckResult.Healthy();
    }
}
