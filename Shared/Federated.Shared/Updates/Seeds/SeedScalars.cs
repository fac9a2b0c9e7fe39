using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Federated.Shared.Protocol;
using MessagePack;

namespace Federated.Shared.Updates.Seeds;

/// <summary>
/// A client's upload in seed-and-scalar mode: MessagePack array [version = 1, K, bin of K little-endian float32], the summed slopes of each
/// direction.
/// </summary>
public static class SeedScalars
{
    private const string Kind = "seed scalars";
    private const int FormatVersion = 1;
    private const int Fields = 3;
    private const int OverheadBytes = 16;

    /// <summary>Encodes the document.</summary>
    /// <param name="amounts">[K].</param>
    public static byte[] ToBytes(ReadOnlySpan<float> amounts)
    {
        ArrayBufferWriter<byte> buffer = new((amounts.Length * sizeof(float)) + OverheadBytes);
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write(amounts.Length);
        writer.Write(MemoryMarshal.AsBytes(amounts));
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads the amounts: [K], K the length of <paramref name="amounts"/>. Allocates nothing.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not K finite numbers.</exception>
    public static void CopyTo(ReadOnlyMemory<byte> document, Span<float> amounts)
    {
        int count = amounts.Length;
        ReadOnlyMemory<byte> bytes = DocumentReading.Read(document, Kind, (ref MessagePackReader reader) =>
        {
            reader.ReadHeader(Kind, FormatVersion, Fields);
            reader.ReadInt32InRange(Kind, "count", count, count);
            return reader.ReadBinary(Kind, "amounts", (long)count * sizeof(float));
        });
        bytes.Span.CopyTo(MemoryMarshal.AsBytes(amounts));
        if (count > 0 && !float.IsFinite(TensorPrimitives.MaxMagnitude<float>(amounts)))
        {
            throw DocumentReading.Malformed(Kind, "an amount is NaN or infinite");
        }
    }
}
