using System.Collections.Concurrent;

namespace Federated.Client.Session;

/// <summary>Keeps a device's adapters in memory, for as long as the process runs.</summary>
public sealed class MemoryHeldAdapters : IHeldAdapters
{
    private readonly ConcurrentDictionary<string, HeldAdapter> _byJob = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public HeldAdapter? Read(string jobId, int parameterCount) =>
        _byJob.TryGetValue(jobId, out HeldAdapter? held) && held.Values.Length == parameterCount ? held : null;

    /// <inheritdoc/>
    public bool TryWrite(string jobId, HeldAdapter adapter)
    {
        _byJob[jobId] = adapter;
        return true;
    }
}
