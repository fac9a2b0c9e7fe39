using System.Buffers.Binary;
using System.IO.Compression;

namespace Federated.Training.Data;

/// <summary>
/// How much a PNG file (W3C PNG, third edition) holds, told in little memory: the decoder unpacks all that is there before it compares that with the size the header
/// states, and packed zeros take a thousandth of their length.
/// </summary>
internal static class PngFile
{
    private const int SignatureBytes = 8;
    private const int ChunkHeaderBytes = 8;
    private const int CheckSumBytes = 4;
    private const int ImageHeaderBytes = 13;
    private const int PackingHeaderBytes = 2;

    /// <summary>What may follow the last row, as some writers pad it.</summary>
    private const int SlackBytes = 1 << 16;

    /// <summary>Unpacks the rows without keeping them.</summary>
    /// <param name="content">The file, which begins as PNG does.</param>
    /// <returns>Too large when they go far beyond what width, height and depth imply; null when they do not.</returns>
    /// <exception cref="InvalidDataException">They cannot be unpacked.</exception>
    public static FileProblem? Check(ReadOnlySpan<byte> content)
    {
        long? mostBytes = null;
        using MemoryStream packed = new();
        ReadOnlySpan<byte> rest = content[SignatureBytes..];
        while (rest.Length >= ChunkHeaderBytes)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            ReadOnlySpan<byte> name = rest.Slice(sizeof(uint), ChunkHeaderBytes - sizeof(uint));
            rest = rest[ChunkHeaderBytes..];
            if (name.SequenceEqual("IEND"u8))
            {
                break;
            }

            if (length > rest.Length)
            {
                return FileProblem.Undecodable;
            }

            ReadOnlySpan<byte> chunk = rest[..(int)length];
            if (name.SequenceEqual("IHDR"u8))
            {
                mostBytes ??= MostBytes(chunk);
            }
            else if (name.SequenceEqual("IDAT"u8))
            {
                packed.Write(chunk);
            }
            else if (name.SequenceEqual("CgBI"u8))
            {
                // Apple's own form, whose rows are packed otherwise.
                return FileProblem.Undecodable;
            }

            rest = rest[Math.Min(chunk.Length + CheckSumBytes, rest.Length)..];
        }

        return mostBytes is null || packed.Length < PackingHeaderBytes ? FileProblem.Undecodable : Unpack(packed, mostBytes.Value);
    }

    private static FileProblem? Unpack(MemoryStream packed, long mostBytes)
    {
        // Without the check sum behind the rows, which the decoder does not look at either.
        packed.Position = PackingHeaderBytes;
        using DeflateStream rows = new(packed, CompressionMode.Decompress);
        byte[] buffer = new byte[1 << 16];
        long unpacked = 0;
        for (int read = rows.Read(buffer); read > 0; read = rows.Read(buffer))
        {
            unpacked += read;
            if (unpacked > mostBytes)
            {
                return FileProblem.TooLarge;
            }
        }

        return null;
    }

    /// <summary>Twice the rows, each with the byte that names its filter: the seven passes of an interlaced image have shorter rows, and up to twice as many.</summary>
    private static long? MostBytes(ReadOnlySpan<byte> header)
    {
        if (header.Length < ImageHeaderBytes)
        {
            return null;
        }

        (uint width, uint height) = (BinaryPrimitives.ReadUInt32BigEndian(header), BinaryPrimitives.ReadUInt32BigEndian(header[sizeof(uint)..]));
        (byte depth, byte colour) = (header[8], header[9]);
        int channels = colour switch
        {
            0 or 3 => 1,
            2 => 3,
            4 => 2,
            _ => 4,
        };
        return width <= int.MaxValue && height <= int.MaxValue
            ? (2 * height * (1 + ((((long)width * depth * channels) + 7) / 8))) + SlackBytes
            : null;
    }
}
