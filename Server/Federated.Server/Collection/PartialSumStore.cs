using System.Collections.Concurrent;
using Federated.Server.Aggregation;
using Federated.Server.Storage;
using Federated.Server.Telemetry;

namespace Federated.Server.Collection;

/// <summary>
/// Keeps groups' partial sums durable, and hands a sealed one from the grain that folded it to the one that commits it without a
/// detour through the store. Thread-safe.
/// </summary>
internal sealed class PartialSumStore(IBlobStore blobs)
{
    private readonly ConcurrentDictionary<string, PartialSum> _sealed = new(StringComparer.Ordinal);
    private RunningSum? _spare;

    /// <summary>What went wrong last with folding into durable sums, whichever group's: a group that fails forgets itself.</summary>
    public LastFailure Failure { get; } = new();

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

    /// <summary>An empty sum, in the memory that the last round left, if its model had this size.</summary>
    public RunningSum Rent(int parameterCount)
    {
        if (Interlocked.Exchange(ref _spare, null) is { } spare && spare.ParameterCount == parameterCount)
        {
            spare.Clear();
            return spare;
        }

        return new RunningSum(parameterCount);
    }

    /// <summary>Takes back the memory of a sum that nobody reads any more. One is kept in all, so that ended jobs hold nothing.</summary>
    public void Return(RunningSum sum) => Volatile.Write(ref _spare, sum);

    private static string BlobName(string group) => $"partial-sums/{group}";
}
