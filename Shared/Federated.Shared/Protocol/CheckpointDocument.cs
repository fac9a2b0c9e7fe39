using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Federated.Shared.Models;
using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>
/// A committed model as the server keeps it: MessagePack array [version = 1, job, round, model version, optimizer name, P, hash of the
/// adapter document, array of bins of the server optimizer's state]. Every bin holds P little-endian float32. The adapter itself is
/// an object of its own, the one that clients download.
/// </summary>
public sealed record CheckpointDocument
{
    private const string Kind = "checkpoint document";
    private const int FormatVersion = 1;
    private const int Fields = 8;
    private const int MaxSlots = 4;

    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The round that committed it; 0 for the initial model.</summary>
    public required long Round { get; init; }

    /// <summary>The version it is.</summary>
    public required long ModelVersion { get; init; }

    /// <summary>Name of the server optimizer whose state follows.</summary>
    public required string Optimizer { get; init; }

    /// <summary>P.</summary>
    public required int ParameterCount { get; init; }

    /// <summary>Hash of the adapter document.</summary>
    public required ContentHash Adapter { get; init; }

    /// <summary>The optimizer's moments, each [P]; none for plain averaging.</summary>
    public required ImmutableArray<float[]> OptimizerState { get; init; }

    /// <summary>Encodes the document.</summary>
    public byte[] ToBytes()
    {
        ArrayBufferWriter<byte> buffer = new((OptimizerState.Length * ((ParameterCount * sizeof(float)) + 8)) + 512);
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write(JobId);
        writer.Write(Round);
        writer.Write(ModelVersion);
        writer.Write(Optimizer);
        writer.Write(ParameterCount);
        writer.Write(Adapter.ToBytes());
        writer.WriteArrayHeader(OptimizerState.Length);
        foreach (float[] slot in OptimizerState)
        {
            writer.Write(MemoryMarshal.AsBytes<float>(slot));
        }

        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not a checkpoint.</exception>
    public static CheckpointDocument FromBytes(ReadOnlyMemory<byte> document) => DocumentReading.Read(document, Kind, Parse);

    private static CheckpointDocument Parse(ref MessagePackReader reader)
    {
        reader.ReadHeader(Kind, FormatVersion, Fields);
        string job = reader.ReadText(Kind, "job", ProtocolLimits.MaxIdentifierLength);
        long round = reader.ReadInt64InRange(Kind, "round", 0, long.MaxValue);
        long version = reader.ReadInt64InRange(Kind, "model version", 0, long.MaxValue);
        string optimizer = reader.ReadText(Kind, "optimizer", ProtocolLimits.MaxIdentifierLength);
        int count = reader.ReadInt32InRange(Kind, "parameter count", 1, ProtocolLimits.MaxParameters);
        ContentHash adapter = reader.ReadHash(Kind, "adapter hash");
        int slots = reader.ReadArrayHeader();
        if (slots > MaxSlots)
        {
            throw DocumentReading.Malformed(Kind, $"it has {slots} optimizer states, the limit is {MaxSlots}");
        }

        ImmutableArray<float[]>.Builder state = ImmutableArray.CreateBuilder<float[]>(slots);
        for (int i = 0; i < slots; i++)
        {
            state.Add(ReadFloats(ref reader, "optimizer state", count));
        }

        return new CheckpointDocument
        {
            JobId = job,
            Round = round,
            ModelVersion = version,
            Optimizer = optimizer,
            ParameterCount = count,
            Adapter = adapter,
            OptimizerState = state.ToImmutable(),
        };
    }

    private static float[] ReadFloats(ref MessagePackReader reader, string field, int count) =>
        MemoryMarshal.Cast<byte, float>(reader.ReadBinary(Kind, field, (long)count * sizeof(float)).Span).ToArray();
}
