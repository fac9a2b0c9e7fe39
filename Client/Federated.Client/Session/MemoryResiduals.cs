using Federated.Shared.Updates.Plain;

namespace Federated.Client.Session;

/// <summary>Keeps the residual of the last job in memory: a device that changes its job begins anew.</summary>
public sealed class MemoryResiduals : IResidualStore
{
    private Residual? _last;

    /// <inheritdoc/>
    public Residual Read(string jobId, int parameterCount) =>
        _last is { } last && last.JobId == jobId && last.ParameterCount == parameterCount ? last : new Residual(jobId, parameterCount);

    /// <inheritdoc/>
    public bool TryWrite(Residual residual)
    {
        _last = residual;
        return true;
    }
}
