using Federated.Shared.Protocol;

namespace Federated.Client.Session;

/// <summary>
/// Keeps a device's tensors in a folder: one file a job, an adapter document whose version is the round. A file is replaced as a whole, so that a
/// device that loses power has the old or the new one; one that cannot be read counts as none.
/// </summary>
public sealed class FolderKeptTensors : IKeptTensors
{
    private readonly string _folder;

    /// <summary>Uses a folder, which is made when missing.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public FolderKeptTensors(string folder)
    {
        Directory.CreateDirectory(folder);
        _folder = folder;
    }

    /// <inheritdoc/>
    public bool TryRead(string jobId, Span<float> kept)
    {
        string path = PathOf(jobId);
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            AdapterDocument.FromBytes(File.ReadAllBytes(path), kept.Length).CopyTo(kept);
            return true;
        }
        catch (ProtocolViolationException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Write(string jobId, long round, ReadOnlySpan<float> kept)
    {
        string path = PathOf(jobId);
        string draft = path + ".partial";
        File.WriteAllBytes(draft, AdapterDocument.ToBytes(round, kept));
        File.Move(draft, path, overwrite: true);
    }

    // A job's identifier comes from the server: nothing but an identifier may become part of a path.
    private string PathOf(string jobId) => ProtocolLimits.IsIdentifier(jobId)
        ? Path.Combine(_folder, jobId + ".tensors")
        : throw new ArgumentException($"'{jobId}' is no job's identifier.", nameof(jobId));
}
