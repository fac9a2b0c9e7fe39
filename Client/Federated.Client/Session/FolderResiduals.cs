using Federated.Shared.Protocol;
using Federated.Shared.Updates.Plain;

namespace Federated.Client.Session;

/// <summary>
/// Keeps residuals as files, one a job, so that they outlive the process. What cannot be read is as good as nothing: the device begins anew.
/// </summary>
/// <param name="folder">Made when it is needed.</param>
public sealed class FolderResiduals(string folder) : IResidualStore
{
    private readonly JobFiles _files = new(folder, ".residual");

    /// <inheritdoc/>
    public Residual Read(string jobId, int parameterCount)
    {
        try
        {
            if (_files.Read(jobId) is { } bytes && Residual.FromBytes(bytes, parameterCount) is { } kept && kept.JobId == jobId)
            {
                return kept;
            }
        }
        catch (ProtocolViolationException)
        {
            // Damaged, of another model, or of a job that no file can be called after.
        }

        return new Residual(jobId, parameterCount);
    }

    /// <inheritdoc/>
    /// <exception cref="ProtocolViolationException">The job's name is no identifier.</exception>
    public bool TryWrite(Residual residual)
    {
        ArgumentNullException.ThrowIfNull(residual);
        return _files.TryWrite(residual.JobId, residual.ToBytes());
    }
}
