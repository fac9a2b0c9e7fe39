using System.Buffers;
using Federated.Shared.Protocol;
using Federated.Shared.SecureAggregation;
using MessagePack;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// A group's masked sum and who is in it, in one durable object: MessagePack array [version = 1, step, bin of the header, array of members,
/// bin of U2, array of seed commitments in order of U2, bin of U3, bin of U4 or nil, bin of the packed sum]. A member is [device, mask key,
/// channel key, signature].
/// </summary>
/// <param name="Step">R3, R4 or R5.</param>
/// <param name="Group">The group.</param>
/// <param name="Signing">U4; in R5 alone.</param>
internal sealed record MaskedGroupDocument(ServerStep Step, MaskedGroup Group, MemberSet? Signing)
{
    private const string Kind = "masked group document";
    private const int FormatVersion = 1;
    private const int Fields = 9;
    private const int MemberFields = 4;

    /// <summary>Encodes the document.</summary>
    public byte[] ToBytes()
    {
        ArrayBufferWriter<byte> buffer = new(1024 + (192 * Group.Roll.Members.Length) + Group.Sum.PackedBytes);
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write((int)Step);
        writer.Write(Group.Roll.Header.ToBytes());
        writer.WriteArrayHeader(Group.Roll.Members.Length);
        foreach (GroupMember member in Group.Roll.Members)
        {
            writer.WriteArrayHeader(MemberFields);
            writer.Write(member.DeviceId);
            writer.Write(member.MaskKey.Span);
            writer.Write(member.ChannelKey.Span);
            writer.Write(member.Signature.Span);
        }

        writer.Write(Group.Sharing.Bytes);
        writer.WriteArrayHeader(Group.Sharing.Count);
        foreach (int member in Group.Sharing)
        {
            writer.Write(Group.Commitments[member - 1]);
        }

        writer.Write(Group.Survivors.Bytes);
        if (Signing is null)
        {
            writer.WriteNil();
        }
        else
        {
            writer.Write(Signing.Bytes);
        }

        int length = Group.Sum.PackedBytes;
        writer.WriteBinaryHeader(length);
        writer.Flush();
        Group.Sum.Pack(buffer.GetSpan(length)[..length]);
        buffer.Advance(length);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a document; nothing of it is borrowed.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such a document, or its parts contradict each other.</exception>
    public static MaskedGroupDocument FromBytes(ReadOnlyMemory<byte> document) => DocumentReading.Read(document, Kind, Parse);

    private static MaskedGroupDocument Parse(ref MessagePackReader reader)
    {
        reader.ReadHeader(Kind, FormatVersion, Fields);
        ServerStep step = (ServerStep)reader.ReadInt32InRange(Kind, "step", (int)ServerStep.CollectingInputs, (int)ServerStep.CollectingUnmasking);
        GroupHeader header = GroupHeader.FromBytes(reader.ReadBytes()?.ToArray() ?? throw DocumentReading.Malformed(Kind, "its header is nil"));
        GroupRoll roll = new(header, ReadMembers(ref reader, header));
        MemberSet sharing = ReadSet(ref reader, "U2", roll.Members.Length);
        byte[]?[] commitments = ReadCommitments(ref reader, sharing);
        MemberSet survivors = ReadSet(ref reader, "U3", roll.Members.Length);
        MemberSet? signing = reader.TryReadNil() ? null : ReadSet(ref reader, "U4", roll.Members.Length);
        ReadOnlyMemory<byte> packed = reader.ReadBinary(Kind, "sum", FieldVector.PackedLengthBytes(header.FieldCount, header.WidthBits));
        if (!survivors.IsSubsetOf(sharing) || signing?.IsSubsetOf(survivors) == false || signing is null != (step != ServerStep.CollectingUnmasking))
        {
            throw DocumentReading.Malformed(Kind, "its sets of members contradict each other or its step");
        }

        FieldVector sum = FieldVector.Unpack(packed.Span, header.FieldCount, header.WidthBits);
        return new MaskedGroupDocument(step, new MaskedGroup(roll, sharing, commitments, sum, survivors), signing);
    }

    private static GroupMember[] ReadMembers(ref MessagePackReader reader, GroupHeader header)
    {
        int count = reader.ReadArrayHeader();
        if (count < header.MinMembers || count > header.MaxMembers)
        {
            throw DocumentReading.Malformed(Kind, $"it has {count} members, its header allows {header.MinMembers} to {header.MaxMembers}");
        }

        GroupMember[] members = new GroupMember[count];
        for (int i = 0; i < count; i++)
        {
            if (reader.ReadArrayHeader() != MemberFields)
            {
                throw DocumentReading.Malformed(Kind, $"member {i + 1} has another number of fields than {MemberFields}");
            }

            string device = reader.ReadText(Kind, "device", ProtocolLimits.MaxIdentifierLength);
            byte[] maskKey = ReadKey(ref reader, "mask key");
            byte[] channelKey = ReadKey(ref reader, "channel key");
            byte[] signature = reader.ReadBinary(Kind, "signature", DeviceSigningKey.SignatureBytes).ToArray();
            members[i] = new GroupMember(device, maskKey, channelKey, signature);
        }

        return members;
    }

    private static byte[] ReadKey(ref MessagePackReader reader, string field)
    {
        ReadOnlyMemory<byte> key = reader.ReadBinary(Kind, field, AgreementPublicKey.LengthBytes);
        return AgreementPublicKey.TryRead(key.Span, out _)
            ? key.ToArray()
            : throw DocumentReading.Malformed(Kind, $"its {field} is no point of the curve");
    }

    private static byte[]?[] ReadCommitments(ref MessagePackReader reader, MemberSet sharing)
    {
        int count = reader.ReadArrayHeader();
        if (count != sharing.Count)
        {
            throw DocumentReading.Malformed(Kind, $"it has {count} seed commitments for {sharing.Count} members");
        }

        byte[]?[] commitments = new byte[]?[sharing.GroupSize];
        foreach (int member in sharing)
        {
            commitments[member - 1] = reader.ReadBinary(Kind, "seed commitment", SeedCommitment.LengthBytes).ToArray();
        }

        return commitments;
    }

    private static MemberSet ReadSet(ref MessagePackReader reader, string field, int groupSize) =>
        MemberSet.FromBytes(reader.ReadBinary(Kind, field, (groupSize + 7) / 8).Span, groupSize)
            ?? throw DocumentReading.Malformed(Kind, $"its {field} is no set of {groupSize} members");
}
