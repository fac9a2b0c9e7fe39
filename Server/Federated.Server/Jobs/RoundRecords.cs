using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Server.Rounds;
using Federated.Server.Storage;

namespace Federated.Server.Jobs;

/// <summary>Keeps the record of every round as a JSON blob of its own.</summary>
internal sealed class RoundRecords(IBlobStore blobs)
{
    private const int ReadsAtOnce = 16;

    /// <summary>How records and statuses are written everywhere: files, API, command line.</summary>
    public static JsonSerializerOptions Json { get; } = Apply(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    /// <summary>Gives options the same names and forms.</summary>
    public static JsonSerializerOptions Apply(JsonSerializerOptions options)
    {
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
        options.NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals;
        return options;
    }

    /// <summary>Writes a record, replacing an earlier one of the same round.</summary>
    public Task WriteAsync(RoundRecord record, CancellationToken ct) => blobs.WriteAsync(
        StorageNames.RoundRecord(record.JobId, record.Round),
        new ReadOnlySequence<byte>(JsonSerializer.SerializeToUtf8Bytes(record, Json)),
        WriteCondition.Always,
        ct);

    /// <summary>The records of rounds 1 to <paramref name="lastRound"/>; one of a round that was never committed is left out.</summary>
    public async Task<IReadOnlyList<RoundRecord>> ReadAllAsync(string jobId, long lastRound, CancellationToken ct)
    {
        ConcurrentBag<RoundRecord> found = [];
        await Parallel.ForEachAsync(
            blobs.ListAsync(StorageNames.RoundRecords(jobId), ct),
            new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = ct },
            async (name, token) =>
            {
                if (await blobs.ReadAsync(name, token) is { } blob
                    && JsonSerializer.Deserialize<RoundRecord>(blob.Content.Span, Json) is { } record && record.Round <= lastRound)
                {
                    found.Add(record);
                }
            });
        return [.. found.OrderBy(record => record.Round)];
    }
}
