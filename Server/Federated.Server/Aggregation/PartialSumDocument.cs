using System.Buffers;
using Federated.Shared.Protocol;
using MessagePack;

namespace Federated.Server.Aggregation;

/// <summary>
/// What an aggregation group has taken in so far, in one durable object, so that a sum never exists without the set of those it
/// holds: MessagePack array [version = 1, job, round, group, P, total weight, bound, array of contributors, an empty map,
/// bin of P little-endian int64]. A contributor is [device, hash, examples, mean loss, bytes up, bytes down, download
/// seconds, compute seconds, peak memory bytes]. The count of updates is the number of contributors. The metrics of a
/// round are computed from them (<see cref="Totals"/>) and not stored a second time.
/// </summary>
internal sealed record PartialSumDocument
{
    private const string Kind = "partial sum document";
    private const int FormatVersion = 1;
    private const int Fields = 10;
    private const int ContributorFields = 9;

    /// <summary>Most contributors of one group.</summary>
    public const int MaxContributors = 1_000_000;

    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The round, from 1.</summary>
    public required long Round { get; init; }

    /// <summary>The aggregation group within the round, from 0.</summary>
    public required int Group { get; init; }

    /// <summary>Those the sum holds, each device once.</summary>
    public required IReadOnlyList<Contribution> Contributors { get; init; }

    /// <summary>The sum. The document borrows it: write the document before the next fold.</summary>
    public required RunningSum Sum { get; init; }

    /// <summary>What the contributors add up to.</summary>
    public ContributionTotals Totals => ContributionTotals.Of(Contributors);

    /// <summary>The document as two segments, of which the second is the sum's own memory: nothing of size P is copied.</summary>
    /// <exception cref="InvalidOperationException">The contributors are not those of the sum.</exception>
    public ReadOnlySequence<byte> ToSequence()
    {
        ArrayBufferWriter<byte> header = new(256 + (160 * Contributors.Count));
        WriteHeader(header);
        Segment first = new(header.WrittenMemory, 0);
        Segment last = first.Append(Sum.ValueBytes);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    /// <summary>Reads a document; the values are copied out of it.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such a document, or its parts contradict each other.</exception>
    public static PartialSumDocument FromBytes(ReadOnlyMemory<byte> document) => DocumentReading.Read(document, Kind, Parse);

    private void WriteHeader(IBufferWriter<byte> destination)
    {
        if (Describe(Contributors, Sum.Count, Sum.TotalWeight) is { } problem)
        {
            throw new InvalidOperationException($"The partial sum of {JobId}, round {Round}, group {Group} cannot be written: {problem}.");
        }

        MessagePackWriter writer = new(destination);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write(JobId);
        writer.Write(Round);
        writer.Write(Group);
        writer.Write(Sum.ParameterCount);
        writer.Write(Sum.TotalWeight);
        writer.Write(Sum.Bound);
        writer.WriteArrayHeader(Contributors.Count);
        foreach (Contribution contributor in Contributors)
        {
            writer.WriteArrayHeader(ContributorFields);
            writer.Write(contributor.DeviceId);
            writer.Write(contributor.Content.ToBytes());
            writer.Write(contributor.ExampleCount);
            writer.Write(contributor.MeanLoss);
            writer.Write(contributor.BytesUp);
            writer.Write(contributor.BytesDown);
            writer.Write(contributor.DownloadSeconds);
            writer.Write(contributor.ComputeSeconds);
            writer.Write(contributor.PeakMemoryBytes);
        }

        writer.WriteMapHeader(0);
        writer.WriteBinaryHeader(Sum.ValueBytes.Length);
        writer.Flush();
    }

    private static PartialSumDocument Parse(ref MessagePackReader reader)
    {
        reader.ReadHeader(Kind, FormatVersion, Fields);
        string job = reader.ReadText(Kind, "job", ProtocolLimits.MaxIdentifierLength);
        long round = reader.ReadInt64InRange(Kind, "round", 1, long.MaxValue);
        int group = reader.ReadInt32InRange(Kind, "group", 0, int.MaxValue);
        int parameters = reader.ReadInt32InRange(Kind, "parameter count", 1, RunningSum.MaxParameterCount);
        long weight = reader.ReadInt64InRange(Kind, "total weight", 0, long.MaxValue);
        long bound = reader.ReadInt64InRange(Kind, "bound", 0, long.MaxValue);
        Contribution[] contributors = ReadContributors(ref reader);
        ReadEmptyMap(ref reader);
        ReadOnlyMemory<byte> values = reader.ReadBinary(Kind, "values", (long)parameters * sizeof(long));
        return Describe(contributors, contributors.Length, weight) is { } problem
            ? throw DocumentReading.Malformed(Kind, problem)
            : new PartialSumDocument
            {
                JobId = job,
                Round = round,
                Group = group,
                Contributors = contributors,
                Sum = RunningSum.Restore(values.Span, contributors.Length, weight, bound),
            };
    }

    private static Contribution[] ReadContributors(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        if (count > MaxContributors)
        {
            throw DocumentReading.Malformed(Kind, $"it has {count} contributors, the limit is {MaxContributors}");
        }

        Contribution[] contributors = new Contribution[count];
        for (int i = 0; i < count; i++)
        {
            int fields = reader.ReadArrayHeader();
            contributors[i] = fields != ContributorFields
                ? throw DocumentReading.Malformed(Kind, $"contributor {i} has {fields} fields, version {FormatVersion} has {ContributorFields}")
                : new Contribution
                {
                    DeviceId = reader.ReadText(Kind, "device", ProtocolLimits.MaxIdentifierLength),
                    Content = reader.ReadHash(Kind, "content hash"),
                    ExampleCount = reader.ReadInt32InRange(Kind, "example count", 1, ProtocolLimits.MaxExamples),
                    MeanLoss = reader.ReadDoubleInRange(Kind, "mean loss", -double.MaxValue, double.MaxValue),
                    BytesUp = reader.ReadInt64InRange(Kind, "bytes up", 0, Contribution.MaxBytes),
                    BytesDown = reader.ReadInt64InRange(Kind, "bytes down", 0, Contribution.MaxBytes),
                    DownloadSeconds = reader.ReadDoubleInRange(Kind, "download seconds", 0, Contribution.MaxSeconds),
                    ComputeSeconds = reader.ReadDoubleInRange(Kind, "compute seconds", 0, Contribution.MaxSeconds),
                    PeakMemoryBytes = reader.ReadInt64InRange(Kind, "peak memory", 0, Contribution.MaxBytes),
                };
        }

        return contributors;
    }

    private static void ReadEmptyMap(ref MessagePackReader reader)
    {
        int count = reader.ReadMapHeader();
        if (count != 0)
        {
            throw DocumentReading.Malformed(Kind, $"its map has {count} entries, version {FormatVersion} has none");
        }
    }

    /// <summary>How the contributors contradict the sum, or null.</summary>
    private static string? Describe(IReadOnlyList<Contribution> contributors, int count, long totalWeight)
    {
        if (contributors.Count != count)
        {
            return $"it names {contributors.Count} contributors and its sum holds {count} updates";
        }

        long examples = contributors.Sum(contributor => (long)contributor.ExampleCount);
        if (examples != totalWeight)
        {
            return $"its contributors have {examples} examples and its sum weighs {totalWeight}";
        }

        HashSet<string> devices = new(contributors.Count, StringComparer.Ordinal);
        return contributors.FirstOrDefault(contributor => !devices.Add(contributor.DeviceId)) is { } twice
            ? $"device {twice.DeviceId} contributes twice"
            : null;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            Segment next = new(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
