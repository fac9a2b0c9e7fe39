using System.Buffers;
using System.Runtime.InteropServices;
using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>
/// An adapter on the wire and in the store: MessagePack array [version = 1, model version, P, bin of P little-endian float32].
/// </summary>
/// <param name="ModelVersion">The version, from 0.</param>
/// <param name="Values">4·P bytes, a slice of the document it was read from.</param>
public sealed record AdapterDocument(long ModelVersion, ReadOnlyMemory<byte> Values)
{
    private const string Kind = "adapter document";
    private const int FormatVersion = 1;
    private const int Fields = 4;
    private const int HeaderRoom = 32;

    /// <summary>P.</summary>
    public int ParameterCount => Values.Length / sizeof(float);

    /// <summary>Encodes an adapter: [P].</summary>
    public static byte[] ToBytes(long modelVersion, ReadOnlySpan<float> adapter)
    {
        ArrayBufferWriter<byte> header = new(HeaderRoom);
        MessagePackWriter writer = new(header);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write(modelVersion);
        writer.Write(adapter.Length);
        ReadOnlySpan<byte> values = MemoryMarshal.AsBytes(adapter);
        writer.WriteBinaryHeader(values.Length);
        writer.Flush();
        byte[] document = GC.AllocateUninitializedArray<byte>(header.WrittenCount + values.Length);
        header.WrittenSpan.CopyTo(document);
        values.CopyTo(document.AsSpan(header.WrittenCount));
        return document;
    }

    /// <summary>Reads an adapter of exactly <paramref name="parameterCount"/> parameters.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such an adapter.</exception>
    public static AdapterDocument FromBytes(ReadOnlyMemory<byte> document, int parameterCount) =>
        DocumentReading.Read(document, Kind, (ref MessagePackReader reader) =>
        {
            reader.ReadHeader(Kind, FormatVersion, Fields);
            long version = reader.ReadInt64InRange(Kind, "model version", 0, long.MaxValue);
            int count = reader.ReadInt32InRange(Kind, "parameter count", parameterCount, parameterCount);
            return new AdapterDocument(version, reader.ReadBinary(Kind, "values", (long)count * sizeof(float)));
        });

    /// <summary>Copies the values out: [P].</summary>
    public void CopyTo(Span<float> adapter) => Values.Span.CopyTo(MemoryMarshal.AsBytes(adapter));
}
