using System.Buffers;
using System.Runtime.InteropServices;
using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>
/// A client's update: MessagePack array [version = 1, job, round, model version, encoding, examples, steps, mean training loss, P,
/// bin of the encoded delta]. The delta is adapter after training minus adapter before. Version 2 has the same fields and holds an encoded vector
/// of any length instead of dense values. Version 3 holds fields of a linear round, masked or not: examples, loss and the like ride in them, so the
/// document's own are 1, 0 and 0.
/// </summary>
public sealed record UpdateDocument
{
    private const string Kind = "update document";
    private const int FormatVersion = 1;
    private const int VersionWithCodec = 2;
    private const int VersionOfFields = 3;
    private const int Fields = 10;

    /// <summary>Most bytes the document needs beyond the encoded delta.</summary>
    public const int OverheadBytes = 256;

    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The round.</summary>
    public required long Round { get; init; }

    /// <summary>Version of the adapter that training began with.</summary>
    public required long ModelVersion { get; init; }

    /// <summary>How <see cref="Body"/> is written.</summary>
    public required UpdateEncoding Encoding { get; init; }

    /// <summary>Examples the update speaks for: its weight in the mean. At least 1.</summary>
    public required int ExampleCount { get; init; }

    /// <summary>Optimizer steps taken.</summary>
    public required int StepCount { get; init; }

    /// <summary>Mean loss over all training steps.</summary>
    public required double MeanLoss { get; init; }

    /// <summary>P.</summary>
    public required int ParameterCount { get; init; }

    /// <summary>The encoded delta; a slice of the document it was read from.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Encodes the document.</summary>
    public byte[] ToBytes()
    {
        ArrayBufferWriter<byte> buffer = new(Body.Length + OverheadBytes);
        WriteHeader(buffer);
        buffer.Write(Body.Span);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Writes everything that precedes the bytes of <see cref="Body"/>, at most <see cref="OverheadBytes"/>: header and body, one after
    /// the other, are the document. A sender that already holds the body in a larger buffer writes the header in front of it.
    /// </summary>
    public void WriteHeader(IBufferWriter<byte> destination)
    {
        MessagePackWriter writer = new(destination);
        writer.WriteArrayHeader(Fields);
        writer.Write(Encoding switch
        {
            UpdateEncoding.DenseFloat32 => FormatVersion,
            UpdateEncoding.EncodedVector => VersionWithCodec,
            _ => VersionOfFields,
        });
        writer.Write(JobId);
        writer.Write(Round);
        writer.Write(ModelVersion);
        writer.Write((int)Encoding);
        writer.Write(ExampleCount);
        writer.Write(StepCount);
        writer.Write(MeanLoss);
        writer.Write(ParameterCount);
        writer.WriteBinaryHeader(Body.Length);
        writer.Flush();
    }

    /// <summary>Reads an update for a model of <paramref name="parameterCount"/> parameters. Values are not looked at here.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such an update.</exception>
    public static UpdateDocument FromBytes(ReadOnlyMemory<byte> document, int parameterCount) =>
        DocumentReading.Read(document, Kind, (ref MessagePackReader reader) =>
        {
            int version = reader.ReadHeader(Kind, [Fields, Fields, Fields]);
            UpdateEncoding encoding = version == FormatVersion ? UpdateEncoding.DenseFloat32 : UpdateEncoding.EncodedVector;
            bool fields = version == VersionOfFields;
            UpdateDocument update = new()
            {
                JobId = reader.ReadText(Kind, "job", ProtocolLimits.MaxIdentifierLength),
                Round = reader.ReadInt64InRange(Kind, "round", 1, long.MaxValue),
                ModelVersion = reader.ReadInt64InRange(Kind, "model version", 0, long.MaxValue),
                Encoding = (UpdateEncoding)reader.ReadInt32InRange(
                    Kind, "encoding", (int)(fields ? UpdateEncoding.LinearFields : encoding), (int)(fields ? UpdateEncoding.MaskedFields : encoding)),
                ExampleCount = reader.ReadInt32InRange(Kind, "example count", 1, ProtocolLimits.MaxExamples),
                StepCount = reader.ReadInt32InRange(Kind, "step count", 0, int.MaxValue),
                MeanLoss = reader.ReadDouble(),
                ParameterCount = reader.ReadInt32InRange(Kind, "parameter count", parameterCount, parameterCount),
                Body = version == FormatVersion
                    ? reader.ReadBinary(Kind, "body", (long)parameterCount * sizeof(float))
                    : reader.ReadBinaryUpTo(Kind, "body", document.Length),
            };
            return fields && (update.ExampleCount != 1 || update.StepCount != 0 || update.MeanLoss != 0)
                ? throw DocumentReading.Malformed(Kind, "it states examples, steps or a loss, which ride in the fields")
                : update;
        });

    /// <summary>The dense delta as floats: [P]. Little-endian machines only, as everything .NET 10 runs on here is.</summary>
    /// <exception cref="InvalidOperationException">The delta is not dense.</exception>
    public ReadOnlySpan<float> DenseValues => Encoding == UpdateEncoding.DenseFloat32
        ? MemoryMarshal.Cast<byte, float>(Body.Span)
        : throw new InvalidOperationException($"The update is written as {Encoding}; decode it.");
}
