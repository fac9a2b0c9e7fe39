using Federated.Shared.Protocol;

namespace Federated.Client.Session;

/// <summary>
/// Keeps a device's tensors in a folder: one file a job, an adapter document whose version is the round. One that cannot be read counts as none.
/// </summary>
/// <param name="folder">Made when it is needed.</param>
public sealed class FolderKeptTensors(string folder) : IKeptTensors
{
    private readonly JobFiles _files = new(folder, ".tensors");

    /// <inheritdoc/>
    public bool TryRead(string jobId, Span<float> kept)
    {
        try
        {
            if (_files.Read(jobId) is { } bytes)
            {
                AdapterDocument.FromBytes(bytes, kept.Length).CopyTo(kept);
                return true;
            }
        }
        catch (ProtocolViolationException)
        {
            // Damaged, of another model, or of a job that no file can be called after.
        }

        return false;
    }

    /// <inheritdoc/>
    /// <exception cref="ProtocolViolationException">The job's name is no identifier.</exception>
    public bool TryWrite(string jobId, long round, ReadOnlySpan<float> kept) => _files.TryWrite(jobId, AdapterDocument.ToBytes(round, kept));
}
