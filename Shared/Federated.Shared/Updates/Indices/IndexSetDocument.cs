using System.Buffers;
using Federated.Shared.Protocol;
using MessagePack;

namespace Federated.Shared.Updates.Indices;

/// <summary>
/// An index set as the server tells it to the clients of a round, when it does not follow from the seed: MessagePack array [version = 1,
/// kind, P, k, bin of the indices in Golomb's code].
/// </summary>
public static class IndexSetDocument
{
    private const string Kind = "index set document";
    private const int FormatVersion = 1;
    private const int Fields = 5;
    private const int OverheadBytes = 32;

    /// <summary>The bit writer stores four bytes at a time.</summary>
    private const int SlackBytes = 4;

    /// <summary>Encodes a set.</summary>
    public static byte[] ToBytes(SharedIndexSet set)
    {
        ArgumentNullException.ThrowIfNull(set);
        IndexSet indices = set.Indices;
        GolombCode code = GolombCode.For(indices.ParameterCount, indices.Count);
        byte[] coded = new byte[code.MaxLengthBytes + SlackBytes];
        int length = code.Encode(indices.Indices, coded);

        ArrayBufferWriter<byte> buffer = new(length + OverheadBytes);
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write((int)set.Kind);
        writer.Write(indices.ParameterCount);
        writer.Write(indices.Count);
        writer.Write(coded.AsSpan(0, length));
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Reads a set of at most <paramref name="mostIndices"/> of <paramref name="parameterCount"/> indices; allocates 4 bytes an index, once
    /// the coded bytes are known to be there.
    /// </summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such a set.</exception>
    public static SharedIndexSet FromBytes(ReadOnlyMemory<byte> document, int parameterCount, int mostIndices) =>
        DocumentReading.Read(document, Kind, (ref MessagePackReader reader) =>
        {
            reader.ReadHeader(Kind, FormatVersion, Fields);
            IndexSetKind kind = (IndexSetKind)reader.ReadInt32InRange(Kind, "kind", (int)IndexSetKind.Momentum, (int)IndexSetKind.Voted);
            int parameters = reader.ReadInt32InRange(Kind, "parameter count", parameterCount, parameterCount);
            int count = reader.ReadInt32InRange(Kind, "count", 1, Math.Min(mostIndices, parameters));
            GolombCode code = GolombCode.For(parameters, count);
            ReadOnlyMemory<byte> coded = reader.ReadBinaryUpTo(Kind, "indices", code.MaxLengthBytes);
            if (coded.Length * 8L < count)
            {
                throw DocumentReading.Malformed(Kind, $"{count} indices need a bit each, there are {coded.Length} bytes");
            }

            int[] indices = new int[count];
            GolombCode.Reader codes = code.Read(coded.Span);
            codes.Next(indices);
            codes.Finish();
            return SharedIndexSet.Told(kind, new IndexSet(parameters, indices));
        });
}
