using Federated.Shared.Updates.Plain;

namespace Federated.Client.Session;

/// <summary>
/// Where a device keeps, between rounds, what its compressed updates have left out: one residual a job. One caller at a time.
/// </summary>
public interface IResidualStore
{
    /// <summary>
    /// The residual of a job, to be copied before it is changed; an empty one when there is none, or none of this size that can be read.
    /// </summary>
    Residual Read(string jobId, int parameterCount);

    /// <summary>Replaces the residual of its job. False when it cannot be kept; the earlier one stays then.</summary>
    bool TryWrite(Residual residual);
}
