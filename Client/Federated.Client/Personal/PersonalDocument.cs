using System.Buffers;
using System.Runtime.InteropServices;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Training;
using MessagePack;

namespace Federated.Client.Personal;

/// <summary>
/// What a device keeps of a job for itself: the adapter that a round began with, the one its own training made of that, and how both do on the device's held-out examples. MessagePack
/// array [version = 1, job, round, package's hash, P, shared evaluation, personal evaluation, bin of the shared P float32, bin of the personal], little-endian; an evaluation is
/// [examples, counted, sum of losses, score] or, where nothing is held out, nil.
/// </summary>
/// <param name="JobId">The job.</param>
/// <param name="Round">The round, from 1.</param>
/// <param name="Package">Hash of the package's manifest.</param>
/// <param name="SharedEvaluation">How the adapter that the server sent does; null when nothing is held out.</param>
/// <param name="PersonalEvaluation">How the one that was tuned here does; null when nothing is held out.</param>
/// <param name="Shared">4·P bytes.</param>
/// <param name="Personal">4·P bytes.</param>
internal sealed record PersonalDocument(
    string JobId,
    long Round,
    ContentHash Package,
    EvaluationSum? SharedEvaluation,
    EvaluationSum? PersonalEvaluation,
    ReadOnlyMemory<byte> Shared,
    ReadOnlyMemory<byte> Personal)
{
    private const string Kind = "personal model";
    private const int Version = 1;
    private const int Fields = 9;
    private const int EvaluationFields = 4;

    /// <summary>Whether the device's own adapter has the lower loss, or nothing says otherwise.</summary>
    public bool PersonalIsBetter =>
        SharedEvaluation is not { Counted: > 0 } shared || PersonalEvaluation is not { Counted: > 0 } personal || personal.MeanLoss <= shared.MeanLoss;

    /// <summary>The P parameters of one of the two.</summary>
    public ReadOnlySpan<float> Parameters(bool personal) => MemoryMarshal.Cast<byte, float>((personal ? Personal : Shared).Span);

    /// <summary>Encodes the document.</summary>
    public byte[] ToBytes()
    {
        ArrayBufferWriter<byte> bytes = new(Shared.Length + Personal.Length + 512);
        MessagePackWriter writer = new(bytes);
        writer.WriteArrayHeader(Fields);
        writer.Write(Version);
        writer.Write(JobId);
        writer.Write(Round);
        writer.Write(Package.ToBytes());
        writer.Write(Shared.Length / sizeof(float));
        Write(ref writer, SharedEvaluation);
        Write(ref writer, PersonalEvaluation);
        writer.Write(Shared.Span);
        writer.Write(Personal.Span);
        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Reads a document.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are no such document.</exception>
    public static PersonalDocument FromBytes(ReadOnlyMemory<byte> document) => DocumentReading.Read(document, Kind, (ref MessagePackReader reader) =>
    {
        reader.ReadHeader(Kind, Version, Fields);
        string job = reader.ReadText(Kind, "job", ProtocolLimits.MaxTextLength);
        long round = reader.ReadInt64InRange(Kind, "round", 1, long.MaxValue);
        ContentHash package = reader.ReadHash(Kind, "package");
        int parameters = reader.ReadInt32InRange(Kind, "parameter count", 1, Array.MaxLength / sizeof(float));
        EvaluationSum? shared = ReadEvaluation(ref reader);
        EvaluationSum? personal = ReadEvaluation(ref reader);
        return new PersonalDocument(
            job,
            round,
            package,
            shared,
            personal,
            reader.ReadBinary(Kind, "shared adapter", (long)parameters * sizeof(float)),
            reader.ReadBinary(Kind, "personal adapter", (long)parameters * sizeof(float)));
    });

    private static void Write(ref MessagePackWriter writer, EvaluationSum? evaluation)
    {
        if (evaluation is not { } sum)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(EvaluationFields);
        writer.Write(sum.Examples);
        writer.Write(sum.Counted);
        writer.Write(sum.LossSum);
        writer.Write(sum.Score);
    }

    private static EvaluationSum? ReadEvaluation(ref MessagePackReader reader)
    {
        if (reader.TryReadNil())
        {
            return null;
        }

        int fields = reader.ReadArrayHeader();
        return fields == EvaluationFields
            ? new EvaluationSum(
                reader.ReadInt64InRange(Kind, "examples", 0, long.MaxValue), reader.ReadInt64InRange(Kind, "counted", 0, long.MaxValue), reader.ReadDouble(), reader.ReadDouble())
            : throw DocumentReading.Malformed(Kind, $"an evaluation has {fields} fields, expected are {EvaluationFields}");
    }
}
