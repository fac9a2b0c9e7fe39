using Federated.Shared.Protocol;
using Federated.Shared.Updates.Plain;

namespace Federated.Client.Session;

/// <summary>
/// Keeps residuals as files, one a job, so that they outlive the process. Written beside the target and renamed over it. What cannot be
/// read is as good as nothing: the device begins anew.
/// </summary>
/// <param name="folder">Made when it is needed.</param>
public sealed class FolderResiduals(string folder) : IResidualStore
{
    private const string Extension = ".residual";

    /// <inheritdoc/>
    public Residual Read(string jobId, int parameterCount)
    {
        try
        {
            Residual kept = Residual.FromBytes(File.ReadAllBytes(PathOf(jobId)), parameterCount);
            return kept.JobId == jobId ? kept : new Residual(jobId, parameterCount);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ProtocolViolationException)
        {
            return new Residual(jobId, parameterCount);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(Residual residual)
    {
        ArgumentNullException.ThrowIfNull(residual);
        string path = PathOf(residual.JobId);
        Directory.CreateDirectory(folder);
        string beside = path + ".new";
        File.WriteAllBytes(beside, residual.ToBytes());
        File.Move(beside, path, overwrite: true);
    }

    private string PathOf(string jobId) => ProtocolLimits.IsIdentifier(jobId)
        ? Path.Combine(folder, jobId + Extension)
        : throw new ProtocolViolationException(ErrorCode.InvalidIdentifier, "The job's name is not an identifier, so that no file can be called after it.");
}
