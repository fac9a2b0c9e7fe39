using System.Collections.Concurrent;
using Federated.Server.Aggregation;
using Federated.Server.Storage;

namespace Federated.Server.Collection;

/// <summary>
/// Keeps groups' partial sums durable, and hands a sealed one from the grain that folded it to the one that commits it without a
/// detour through the store. Thread-safe.
/// </summary>
internal sealed class PartialSumStore(IBlobStore blobs)
{
    private readonly ConcurrentDictionary<string, PartialSum> _sealed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, RunningSum> _spare = new();

    /// <summary>Writes sum and contributors in one piece.</summary>
    public Task WriteAsync(string group, PartialSum partial, CancellationToken ct) =>
        blobs.WriteAsync(BlobName(group), partial.ToSequence(), WriteCondition.Always, ct);

    /// <summary>The durable sum; null when nothing was written yet.</summary>
    public async Task<PartialSum?> ReadAsync(string group, CancellationToken ct) =>
        await blobs.ReadAsync(BlobName(group), ct) is { } blob ? PartialSum.FromBytes(blob.Content) : null;

    /// <summary>Deletes the durable sum.</summary>
    public Task DeleteAsync(string group, CancellationToken ct) => blobs.DeleteAsync(BlobName(group), WriteCondition.Always, ct);

    /// <summary>Leaves a sealed sum for the commit. It is durable, so nothing is lost when the process ends before.</summary>
    public void Offer(string group, PartialSum partial) => _sealed[group] = partial;

    /// <summary>Takes the sealed sum.</summary>
    /// <exception cref="InvalidOperationException">There is none, neither here nor in the store.</exception>
    public async Task<PartialSum> TakeAsync(string group, CancellationToken ct) =>
        _sealed.TryRemove(group, out PartialSum? partial)
            ? partial
            : await ReadAsync(group, ct) ?? throw new InvalidOperationException($"Group {group} has no durable sum.");

    /// <summary>An empty sum, in memory that an earlier round of a model of this size has left, if there is any.</summary>
    public RunningSum Rent(int parameterCount)
    {
        if (_spare.TryRemove(parameterCount, out RunningSum? spare))
        {
            spare.Clear();
            return spare;
        }

        return new RunningSum(parameterCount);
    }

    /// <summary>Takes back the memory of a sum that nobody reads any more. One is kept for each size.</summary>
    public void Return(RunningSum sum) => _spare[sum.ParameterCount] = sum;

    private static string BlobName(string group) => $"partial-sums/{group}";
}
