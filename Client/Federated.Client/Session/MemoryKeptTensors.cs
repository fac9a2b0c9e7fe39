using System.Collections.Concurrent;

namespace Federated.Client.Session;

/// <summary>Keeps a device's tensors in memory, for as long as the process runs.</summary>
public sealed class MemoryKeptTensors : IKeptTensors
{
    private readonly ConcurrentDictionary<string, float[]> _byJob = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public bool TryRead(string jobId, Span<float> kept) =>
        _byJob.TryGetValue(jobId, out float[]? values) && values.Length == kept.Length && values.AsSpan().TryCopyTo(kept);

    /// <inheritdoc/>
    public bool TryWrite(string jobId, long round, ReadOnlySpan<float> kept)
    {
        _byJob[jobId] = kept.ToArray();
        return true;
    }
}
