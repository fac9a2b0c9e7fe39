using System.Buffers.Binary;
using System.IO.Compression;

namespace Federated.Testing;

/// <summary>Small image files, written from the formats' definitions.</summary>
public static class ImageFiles
{
    private static readonly uint[] CrcTable = [.. Enumerable.Range(0, 256).Select(n => Enumerable.Range(0, 8).Aggregate((uint)n, (c, _) => (c & 1) == 1 ? 0xedb88320 ^ (c >> 1) : c >> 1))];

    /// <summary>A PNG file (W3C PNG, third edition) of 8 bits a channel, unfiltered.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="channels">1 for grey, 3 for RGB.</param>
    /// <param name="pixels">[height, width, channels].</param>
    /// <param name="padding">Zeros behind the last row, which the format does not foresee.</param>
    public static byte[] Png(int width, int channels, byte[] pixels, int padding = 0)
    {
        int line = width * channels;
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), pixels.Length / line);
        header[8] = 8;
        header[9] = (byte)(channels == 1 ? 0 : 2);
        using MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach (byte[] row in pixels.Chunk(line))
            {
                zlib.WriteByte(0);
                zlib.Write(row);
            }

            zlib.Write(new byte[padding]);
        }

        return [0x89, .. "PNG\r\n"u8, 0x1a, 0x0a, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, packed.ToArray()), .. Chunk("IEND"u8, [])];
    }

    /// <summary>
    /// A grey baseline JPEG file (ITU-T T.81) whose 8×8 blocks are of one value each, which the format keeps exactly: the first coefficient of a block is 8·(value − 128), divided by 8.
    /// </summary>
    /// <param name="columns">Blocks a row.</param>
    /// <param name="values">[rows, columns], at least 1.</param>
    public static byte[] Jpeg(int columns, byte[] values)
    {
        int height = values.Length / columns * 8;
        int width = columns * 8;
        List<byte> file =
        [
            0xff, 0xd8,
            0xff, 0xdb, 0, 67, 0, .. Enumerable.Repeat((byte)8, 64),
            0xff, 0xc0, 0, 11, 8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 1, 1, 0x11, 0,

            // Nine codes of four bits for the lengths of differences, 0 to 8; one of one bit for 'nothing more in this block'.
            0xff, 0xc4, 0, 28, 0x00, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
            0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0xff, 0xda, 0, 8, 1, 1, 0x00, 0, 63, 0,
        ];
        string bits = "";
        int before = 0;
        foreach (byte value in values)
        {
            int difference = value - 128 - before;
            before = value - 128;
            int length = difference == 0 ? 0 : (int)Math.Log2(Math.Abs(difference)) + 1;
            int extra = difference < 0 ? difference + (1 << length) - 1 : difference;
            bits += Convert.ToString(length, 2).PadLeft(4, '0') + (length == 0 ? "" : Convert.ToString(extra, 2).PadLeft(length, '0')) + "0";
        }

        foreach (char[] eight in bits.Chunk(8))
        {
            byte next = Convert.ToByte(new string(eight).PadRight(8, '1'), 2);
            file.Add(next);
            if (next == 0xff)
            {
                file.Add(0);
            }
        }

        return [.. file, 0xff, 0xd9];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> name, byte[] content)
    {
        byte[] chunk = new byte[12 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        name.CopyTo(chunk.AsSpan(4));
        content.CopyTo(chunk, 8);
        uint crc = uint.MaxValue;
        foreach (byte value in chunk.AsSpan(4, 4 + content.Length))
        {
            crc = CrcTable[(crc ^ value) & 0xff] ^ (crc >> 8);
        }

        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + content.Length), ~crc);
        return chunk;
    }
}
