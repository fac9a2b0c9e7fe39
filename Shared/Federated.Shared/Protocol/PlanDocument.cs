using System.Buffers;
using Federated.Shared.Models;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;
using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>How the parameters of an update are written.</summary>
public enum UpdateEncoding
{
    /// <summary>P little-endian float32, nothing left out.</summary>
    DenseFloat32 = 1,

    /// <summary>An encoded vector (docs/CODECS.md), as the plan's codec describes it.</summary>
    EncodedVector = 2,

    /// <summary>A linear payload (docs/CODECS.md) of the plan's linear round.</summary>
    LinearFields = 3,

    /// <summary>
    /// The same fields under masks: a GroupClientMessage with a MaskedInput (secure_aggregation.proto).
    /// </summary>
    MaskedFields = 4,
}

/// <summary>
/// What an assigned client must do in a round. MessagePack array of 15 fields in version 1; version 2 may have a codec in place of
/// the encoding and ends with <see cref="Parameters"/>; it is written only when there is one of them. Version 3 has a linear round in place of
/// the encoding and ends with <see cref="Group"/>. Version 4 has any of the three in that place and ends with <see cref="Directions"/>, version 5 with
/// <see cref="Offers"/>. See docs/PROTOCOL.md. Immutable.
/// </summary>
public sealed record PlanDocument
{
    private const string Kind = "plan document";
    private const int FormatVersion = 1;
    private const int Fields = 15;
    private const int SecondVersion = 2;
    private const int SecondFields = 16;
    private const int ThirdVersion = 3;
    private const int ThirdFields = 17;
    private const int FourthVersion = 4;
    private const int FourthFields = 18;
    private const int FifthVersion = 5;
    private const int FifthFields = 19;
    private const int MaxLinearBytes = 256;

    // A decay of 1 never forgets: AdamW would divide by 1 − β = 0.
    private static readonly double _belowOne = Math.BitDecrement(1.0);

    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The round, from 1.</summary>
    public required long Round { get; init; }

    /// <summary>Version of the adapter to start from, from 0.</summary>
    public required long ModelVersion { get; init; }

    /// <summary>Hash of the package manifest.</summary>
    public required ContentHash Package { get; init; }

    /// <summary>Hash of the adapter document to start from.</summary>
    public required ContentHash Adapter { get; init; }

    /// <summary>Length of the adapter document.</summary>
    public required long AdapterLengthBytes { get; init; }

    /// <summary>P.</summary>
    public required int ParameterCount { get; init; }

    /// <summary>Seeds the client's shuffles together with round and device.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How to write the update; follows from <see cref="Codec"/>, <see cref="Linear"/> and <see cref="Group"/>.</summary>
    public UpdateEncoding Encoding => this switch
    {
        { Group: not null } => UpdateEncoding.MaskedFields,
        { Linear: not null } => UpdateEncoding.LinearFields,
        { Codec: not null } => UpdateEncoding.EncodedVector,
        _ => UpdateEncoding.DenseFloat32,
    };

    /// <summary>How to compress the update; null for dense float32, and with a linear round.</summary>
    public PlainCodec? Codec { get; init; }

    /// <summary>The private path's round, whose parameters are those sent; null without it.</summary>
    public LinearRound? Linear { get; init; }

    /// <summary>The aggregation group in which the update is masked; null when it is not. Needs <see cref="Linear"/>.</summary>
    public int? Group { get; init; }

    /// <summary>Largest update document the server takes.</summary>
    public required long MaxUpdateBytes { get; init; }

    /// <summary>Time until the round closes, from the moment of assignment.</summary>
    public required TimeSpan Deadline { get; init; }

    /// <summary>Devices selected for this round.</summary>
    public required int CohortSize { get; init; }

    /// <summary>Updates the round wants.</summary>
    public required int Goal { get; init; }

    /// <summary>How to train.</summary>
    public required LocalTrainingPlan Training { get; init; }

    /// <summary>What is trained and sent; null for everything.</summary>
    public ParameterPlan? Parameters { get; init; }

    /// <summary>Training along seeded directions, whose amounts are what is sent; null for training by gradients.</summary>
    public DirectionPlan? Directions { get; init; }

    /// <summary>Shorter ways to the adapter; null when there is none but downloading it whole.</summary>
    public AdapterOffers? Offers { get; init; }

    /// <summary>Parameters that the update speaks of.</summary>
    public int ChangedCount => Parameters?.SentCount ?? ParameterCount;

    /// <summary>Numbers in the update: its parameters, or the amounts of its directions.</summary>
    public int SentCount => Directions?.Count ?? ChangedCount;

    /// <summary>
    /// SHA-256 of the encoding, computed at every call. The members of an aggregation group agree on it: package, training, tensors, and how an update
    /// becomes fields.
    /// </summary>
    public ContentHash Hash => ContentHash.Of(ToBytes());

    /// <summary>Encodes the document.</summary>
    public byte[] ToBytes()
    {
        ArrayBufferWriter<byte> buffer = new(512);
        MessagePackWriter writer = new(buffer);
        int version = this switch
        {
            { Offers: not null } => FifthVersion,
            { Directions: not null } => FourthVersion,
            { Linear: not null } => ThirdVersion,
            { Codec: null, Parameters: null } => FormatVersion,
            _ => SecondVersion,
        };
        bool plain = version == FormatVersion;
        writer.WriteArrayHeader(version switch
        {
            FormatVersion => Fields,
            SecondVersion => SecondFields,
            ThirdVersion => ThirdFields,
            FourthVersion => FourthFields,
            _ => FifthFields,
        });
        writer.Write(version);
        writer.Write(JobId);
        writer.Write(Round);
        writer.Write(ModelVersion);
        writer.Write(Package.ToBytes());
        writer.Write(Adapter.ToBytes());
        writer.Write(AdapterLengthBytes);
        writer.Write(ParameterCount);
        writer.Write(Seed);
        if (Linear is not null)
        {
            writer.Write(Linear.ToBytes());
        }
        else if (Codec is null)
        {
            writer.Write((int)Encoding);
        }
        else
        {
            CodecFields.Write(ref writer, Codec);
        }

        writer.Write(MaxUpdateBytes);
        writer.Write((long)Deadline.TotalMilliseconds);
        writer.Write(CohortSize);
        writer.Write(Goal);
        WriteTraining(ref writer, Training);
        if (Parameters is not null)
        {
            Parameters.WriteTo(ref writer);
        }
        else if (!plain)
        {
            writer.WriteNil();
        }

        if (Group is { } group)
        {
            writer.Write(group);
        }
        else if (version >= ThirdVersion)
        {
            writer.WriteNil();
        }

        if (Directions is not null)
        {
            Directions.WriteTo(ref writer);
        }
        else if (version == FifthVersion)
        {
            writer.WriteNil();
        }

        Offers?.WriteTo(ref writer);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads and checks a plan.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not a plan this software can follow.</exception>
    public static PlanDocument FromBytes(ReadOnlyMemory<byte> document)
    {
        return document.Length > ProtocolLimits.MaxPlanBytes
            ? throw new ProtocolViolationException(
                ErrorCode.LimitExceeded, $"The {Kind} has {document.Length} bytes, the limit is {ProtocolLimits.MaxPlanBytes}.")
            : DocumentReading.Read(document, Kind, Parse);
    }

    private static PlanDocument Parse(ref MessagePackReader reader)
    {
        int version = reader.ReadHeader(Kind, [Fields, SecondFields, ThirdFields, FourthFields, FifthFields]);
        bool isLinear = false;
        int parameters;
        PlanDocument plan = new()
        {
            JobId = reader.ReadText(Kind, "job", ProtocolLimits.MaxIdentifierLength),
            Round = reader.ReadInt64InRange(Kind, "round", 1, long.MaxValue),
            ModelVersion = reader.ReadInt64InRange(Kind, "model version", 0, long.MaxValue),
            Package = reader.ReadHash(Kind, "package hash"),
            Adapter = reader.ReadHash(Kind, "adapter hash"),
            AdapterLengthBytes = reader.ReadInt64InRange(Kind, "adapter length", 1, ProtocolLimits.MaxDownloadBytes),
            ParameterCount = parameters = reader.ReadInt32InRange(Kind, "parameter count", 1, ProtocolLimits.MaxParameters),
            Seed = reader.ReadUInt64(),
            Linear = (isLinear = HoldsLinear(ref reader, version)) ? LinearRound.FromBytes(reader.ReadBinaryUpTo(Kind, "linear round", MaxLinearBytes)) : null,
            Codec = isLinear ? null : ParseCodec(ref reader, version),
            MaxUpdateBytes = reader.ReadInt64InRange(Kind, "largest update", 1, ProtocolLimits.MaxDownloadBytes),
            Deadline = TimeSpan.FromMilliseconds(reader.ReadInt64InRange(Kind, "deadline", 1, (long)TimeSpan.FromDays(30).TotalMilliseconds)),
            CohortSize = reader.ReadInt32InRange(Kind, "cohort size", 1, 10_000_000),
            Goal = reader.ReadInt32InRange(Kind, "goal", 1, 10_000_000),
            Training = ParseTraining(ref reader),
            Parameters = version == FormatVersion ? null : ParameterPlan.Parse(ref reader, Kind),
            Group = version < ThirdVersion || reader.TryReadNil() ? null : reader.ReadInt32InRange(Kind, "group", 0, ProtocolLimits.MaxGroup),
            Directions = version < FourthVersion || reader.TryReadNil() ? null : DirectionPlan.Parse(ref reader, Kind),
            Offers = version < FifthVersion ? null : AdapterOffers.Parse(ref reader, Kind, parameters),
        };
        return plan switch
        {
            { Linear: { } linear } when linear.ParameterCount != plan.SentCount =>
                throw DocumentReading.Malformed(Kind, $"its linear round is of {linear.ParameterCount} parameters, its update of {plan.SentCount}"),
            { Linear: null, Group: not null } => throw DocumentReading.Malformed(Kind, "it has a group and no linear round"),
            _ => plan,
        };
    }

    private static bool HoldsLinear(ref MessagePackReader reader, int version) =>
        version == ThirdVersion || (version >= FourthVersion && reader.NextMessagePackType == MessagePackType.Binary);

    private static PlainCodec? ParseCodec(ref MessagePackReader reader, int version)
    {
        if (version > FormatVersion && reader.NextMessagePackType == MessagePackType.Array)
        {
            return CodecFields.Parse(ref reader, Kind);
        }

        reader.ReadInt32InRange(Kind, "encoding", (int)UpdateEncoding.DenseFloat32, (int)UpdateEncoding.DenseFloat32);
        return null;
    }

    private static void WriteTraining(ref MessagePackWriter writer, LocalTrainingPlan training)
    {
        writer.WriteArrayHeader(10);
        writer.Write(training.Epochs);
        writer.Write(training.BatchSize);
        writer.Write(training.MaxSteps);
        writer.Write((int)training.Optimizer);
        writer.Write(training.LearningRate);
        writer.Write(training.Momentum);
        writer.Write(training.Beta2);
        writer.Write(training.Epsilon);
        writer.Write(training.WeightDecay);
        writer.Write(training.ProximalMu);
    }

    private static LocalTrainingPlan ParseTraining(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        return count != 10
            ? throw DocumentReading.Malformed(Kind, $"training has {count} fields, version {FormatVersion} has 10")
            : new LocalTrainingPlan
            {
                Epochs = reader.ReadInt32InRange(Kind, "epochs", 1, 1_000),
                BatchSize = reader.ReadInt32InRange(Kind, "batch size", 0, ProtocolLimits.MaxExamples),
                MaxSteps = reader.ReadInt32InRange(Kind, "most steps", 0, int.MaxValue),
                Optimizer = (LocalOptimizer)reader.ReadInt32InRange(Kind, "optimizer", 0, 2),
                LearningRate = reader.ReadDoubleInRange(Kind, "learning rate", double.Epsilon, 1e6),
                Momentum = reader.ReadDoubleInRange(Kind, "momentum", 0, _belowOne),
                Beta2 = reader.ReadDoubleInRange(Kind, "beta2", 0, _belowOne),
                Epsilon = reader.ReadDoubleInRange(Kind, "epsilon", double.Epsilon, 1),
                WeightDecay = reader.ReadDoubleInRange(Kind, "weight decay", 0, 1e6),
                ProximalMu = reader.ReadDoubleInRange(Kind, "proximal mu", 0, 1e6),
            };
    }
}
