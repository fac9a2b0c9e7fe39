using System.Buffers;
using System.Numerics;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using MessagePack;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// What one aggregation group computes, signed by the server: MessagePack array [version = 2, job, round, group, model hash, plan
/// hash, fields, scalar fields, b, least field, greatest field, least members, most members, topology, adversarial ‰, drop-out ‰]. The
/// session is derived from its bytes, so nobody can take part under other terms without leaving the session.
/// </summary>
public sealed record GroupHeader
{
    private const string Kind = "group header";
    private const int FormatVersion = 2;
    private const int Fields = 16;

    /// <summary>Largest encoding.</summary>
    public const int MaxBytes = 1024;

    /// <summary>Most members of a group.</summary>
    public const int MemberLimit = 10_000;

    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The round, from 1.</summary>
    public required long Round { get; init; }

    /// <summary>
    /// The aggregation group within the round, in the lowest 16 bits, and above them a number that every attempt draws anew: a server that
    /// was killed before it held a masked input begins again under another header.
    /// </summary>
    public required int Group { get; init; }

    /// <summary>Hash of the adapter that everyone trains from.</summary>
    public required ContentHash Model { get; init; }

    /// <summary>Hash of the plan of all members: what they train, how, and how an update becomes fields.</summary>
    public required ContentHash Plan { get; init; }

    /// <summary>Fields of the vector, at least 1.</summary>
    public required int FieldCount { get; init; }

    /// <summary>
    /// How many of them, at the end, are digits of whole numbers such as the example count: each 0 to 2^d − 1, d = b − ⌈log₂ of most
    /// members⌉.
    /// </summary>
    public int ScalarFieldCount { get; init; }

    /// <summary>b: the sum is modulo 2^b.</summary>
    public required int WidthBits { get; init; }

    /// <summary>Least value of one member's field before the scalar fields, at most 0.</summary>
    public required long MinField { get; init; }

    /// <summary>Greatest value of one member's field, at least 0. With g members g · (greatest − least) has to stay below 2^b.</summary>
    public required long MaxField { get; init; }

    /// <summary>Members below which the group is abandoned.</summary>
    public required int MinMembers { get; init; }

    /// <summary>Most members.</summary>
    public required int MaxMembers { get; init; }

    /// <summary>Who masks with whom.</summary>
    public GroupTopologyKind Topology { get; init; } = GroupTopologyKind.Complete;

    /// <summary>γ of the neighbour graph, in thousandths.</summary>
    public int AdversarialPermille { get; init; }

    /// <summary>δ of the neighbour graph, in thousandths.</summary>
    public int DropoutPermille { get; init; }

    /// <summary>Greatest value of one member's scalar field: 2^d − 1; 0 when the members' digits have no room in b bits.</summary>
    public long MaxScalarField => (1L << Math.Max(0, WidthBits - BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)MaxMembers)))) - 1;

    /// <summary>SHA-256 of the encoding, computed at every call.</summary>
    public ContentHash Hash => ContentHash.Of(ToBytes());

    /// <summary>Whether the sum of g members' fields, each between least and greatest, is determined by its value modulo 2^b.</summary>
    public static bool Fits(int members, int widthBits, long minField, long maxField) =>
        (UInt128)(uint)members * (UInt128)((Int128)maxField - minField) < (UInt128.One << widthBits);

    /// <summary>Encodes the header.</summary>
    public byte[] ToBytes()
    {
        ArrayBufferWriter<byte> buffer = new(256);
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write(JobId);
        writer.Write(Round);
        writer.Write(Group);
        writer.Write(Model.ToBytes());
        writer.Write(Plan.ToBytes());
        writer.Write(FieldCount);
        writer.Write(ScalarFieldCount);
        writer.Write(WidthBits);
        writer.Write(MinField);
        writer.Write(MaxField);
        writer.Write(MinMembers);
        writer.Write(MaxMembers);
        writer.Write((int)Topology);
        writer.Write(AdversarialPermille);
        writer.Write(DropoutPermille);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a header and demands that it is possible: n members cannot overflow a field, the bounds are bounds.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not a header.</exception>
    public static GroupHeader FromBytes(ReadOnlyMemory<byte> document)
    {
        if (document.Length > MaxBytes)
        {
            throw DocumentReading.Malformed(Kind, $"it has {document.Length} bytes, the limit is {MaxBytes}");
        }

        GroupHeader header = DocumentReading.Read(document, Kind, Parse);
        if (!document.Span.SequenceEqual(header.ToBytes()))
        {
            throw DocumentReading.Malformed(Kind, "it is not in its shortest form, so its hash would not be unique");
        }

        return header.Problem() is { } problem ? throw DocumentReading.Malformed(Kind, problem) : header;
    }

    /// <summary>What is impossible about the header, or null.</summary>
    public string? Problem()
    {
        if (MinMembers > MaxMembers)
        {
            return $"it allows {MinMembers} to {MaxMembers} members";
        }

        if (ScalarFieldCount > FieldCount || (ScalarFieldCount > 0 && MaxScalarField == 0))
        {
            return $"{ScalarFieldCount} of {FieldCount} fields of {WidthBits} bits cannot be digits summed over {MaxMembers} members";
        }

        return Fits(MaxMembers, WidthBits, MinField, MaxField)
            ? null
            : $"{MaxMembers} members with fields from {MinField} to {MaxField} overflow {WidthBits} bits; make the fields wider or the group smaller";
    }

    private static GroupHeader Parse(ref MessagePackReader reader)
    {
        reader.ReadHeader(Kind, FormatVersion, Fields);
        return new GroupHeader
        {
            JobId = reader.ReadText(Kind, "job", ProtocolLimits.MaxIdentifierLength),
            Round = reader.ReadInt64InRange(Kind, "round", 1, long.MaxValue),
            Group = reader.ReadInt32InRange(Kind, "group", 0, int.MaxValue),
            Model = reader.ReadHash(Kind, "model hash"),
            Plan = reader.ReadHash(Kind, "plan hash"),
            FieldCount = reader.ReadInt32InRange(Kind, "field count", 1, ProtocolLimits.MaxParameters),
            ScalarFieldCount = reader.ReadInt32InRange(Kind, "scalar field count", 0, ProtocolLimits.MaxParameters),
            WidthBits = reader.ReadInt32InRange(Kind, "width", FieldVector.MinWidthBits, FieldVector.MaxWidthBits),
            MinField = reader.ReadInt64InRange(Kind, "least field", -uint.MaxValue, 0),
            MaxField = reader.ReadInt64InRange(Kind, "greatest field", 0, uint.MaxValue),
            MinMembers = reader.ReadInt32InRange(Kind, "least members", 2, MemberLimit),
            MaxMembers = reader.ReadInt32InRange(Kind, "most members", 2, MemberLimit),
            Topology = (GroupTopologyKind)reader.ReadInt32InRange(Kind, "topology", 0, 1),
            AdversarialPermille = reader.ReadInt32InRange(Kind, "adversarial share", 0, 999),
            DropoutPermille = reader.ReadInt32InRange(Kind, "drop-out share", 0, 999),
        };
    }
}
