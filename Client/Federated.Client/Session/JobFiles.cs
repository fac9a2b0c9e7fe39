using Federated.Shared.Files;
using Federated.Shared.Protocol;

namespace Federated.Client.Session;

/// <summary>
/// One file a job in a folder of the device. A file is replaced as a whole, so that a device that loses power has the old or the new one. One
/// caller at a time.
/// </summary>
/// <param name="folder">Made when it is needed.</param>
/// <param name="extension">What the files are called after the job, with its dot.</param>
internal sealed class JobFiles(string folder, string extension)
{
    /// <summary>The job's file; null when there is none, or none that can be read.</summary>
    /// <exception cref="ProtocolViolationException">The job's name is no identifier.</exception>
    public byte[]? Read(string jobId)
    {
        string path = PathOf(jobId);
        try
        {
            return File.Exists(path) ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether the job has a file, that can be read or not.</summary>
    /// <exception cref="ProtocolViolationException">The job's name is no identifier.</exception>
    public bool Has(string jobId) => File.Exists(PathOf(jobId));

    /// <summary>Replaces the job's file. False when the disk does not take it; the earlier file is still there then, or the new one without a promise that it stays.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="content">The new content.</param>
    /// <exception cref="ProtocolViolationException">The job's name is no identifier.</exception>
    public bool TryWrite(string jobId, ReadOnlySpan<byte> content) => ReplacedFile.TryWrite(PathOf(jobId), content);

    // A job's identifier comes from the server: nothing but an identifier may become part of a path.
    private string PathOf(string jobId) => ProtocolLimits.IsIdentifier(jobId)
        ? Path.Combine(folder, jobId + extension)
        : throw new ProtocolViolationException(ErrorCode.InvalidIdentifier, "The job's name is not an identifier, so that no file can be called after it.");
}
