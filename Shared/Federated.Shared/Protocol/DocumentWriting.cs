using System.Buffers.Binary;
using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>Writing of MessagePack documents whose values are large.</summary>
public static class DocumentWriting
{
    private const byte Bin8 = 0xc4;
    private const byte Bin16 = 0xc5;
    private const byte Bin32 = 0xc6;

    /// <summary>
    /// Writes what precedes <paramref name="length"/> bytes of a bin, without them. <see cref="MessagePackWriter.WriteBinHeader"/> writes the same and asks for room for the bytes too:
    /// whoever writes these from where they already lie would get a buffer of their size for nothing.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative.</exception>
    public static void WriteBinaryHeader(this ref MessagePackWriter writer, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Span<byte> header = writer.GetSpan(sizeof(byte) + sizeof(uint));
        int lengthBytes;
        if (length <= byte.MaxValue)
        {
            header[0] = Bin8;
            header[1] = (byte)length;
            lengthBytes = sizeof(byte);
        }
        else if (length <= ushort.MaxValue)
        {
            header[0] = Bin16;
            BinaryPrimitives.WriteUInt16BigEndian(header[1..], (ushort)length);
            lengthBytes = sizeof(ushort);
        }
        else
        {
            header[0] = Bin32;
            BinaryPrimitives.WriteUInt32BigEndian(header[1..], (uint)length);
            lengthBytes = sizeof(uint);
        }

        writer.Advance(sizeof(byte) + lengthBytes);
    }
}
