using System.Buffers;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Bits;
using MessagePack;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// A client's fields of a <see cref="LinearRound"/>, masked or not: MessagePack array [version = 2, fields, field width, bin of the packed
/// fields]. No index and no scale goes along: the round tells them.
/// </summary>
public static class LinearPayload
{
    private const string Kind = "linear payload";
    private const int FormatVersion = 2;
    private const int Fields = 4;
    private const int OverheadBytes = 16;

    /// <summary>Encodes packed fields.</summary>
    /// <param name="round">The round.</param>
    /// <param name="packed">[<see cref="LinearRound.PackedBytes"/>].</param>
    /// <param name="destination">Receives the document.</param>
    /// <exception cref="ArgumentException">The length is another.</exception>
    public static void Write(LinearRound round, ReadOnlySpan<byte> packed, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(round);
        if (packed.Length != round.PackedBytes)
        {
            throw new ArgumentException($"There are {packed.Length} bytes of fields, the round has {round.PackedBytes}.", nameof(packed));
        }

        MessagePackWriter writer = new(destination);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write(round.FieldCount);
        writer.Write(round.WidthBits);
        writer.Write(packed);
        writer.Flush();
    }

    /// <inheritdoc cref="Write"/>
    public static byte[] ToBytes(LinearRound round, ReadOnlySpan<byte> packed)
    {
        ArrayBufferWriter<byte> buffer = new(packed.Length + OverheadBytes);
        Write(round, packed, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Reads the packed fields of a round as a slice of the document. Every field is possible, so
    /// there is nothing more to check.
    /// </summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such a payload of this round.</exception>
    public static ReadOnlyMemory<byte> FromBytes(ReadOnlyMemory<byte> document, LinearRound round) =>
        DocumentReading.Read(document, Kind, (ref MessagePackReader reader) =>
        {
            reader.ReadHeader(Kind, FormatVersion, Fields);
            int fields = reader.ReadInt32InRange(Kind, "field count", round.FieldCount, round.FieldCount);
            int width = reader.ReadInt32InRange(Kind, "field width", round.WidthBits, round.WidthBits);
            ReadOnlyMemory<byte> packed = reader.ReadBinary(Kind, "fields", round.PackedBytes);
            return FieldPacking.EndsClean(packed.Span, fields, width)
                ? packed
                : throw DocumentReading.Malformed(Kind, "bits are set after its last field");
        });
}
