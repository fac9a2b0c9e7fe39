using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Compression;

namespace Federated.Training.Data;

/// <summary>
/// One IDX file of unsigned bytes: two zero bytes, the type 0x08, the number of dimensions, each dimension as a big-endian 32-bit
/// integer, then the bytes. Gzip is recognised by its first two bytes.
/// </summary>
internal static class IdxFile
{
    private const byte UnsignedByteType = 0x08;
    private const int SkipBytes = 32 << 10;

    /// <summary>DEFLATE cannot expand more than this many times (RFC 1951: 258 bytes cost at least 2 bits).</summary>
    private const long MostExpansion = 1032;

    /// <summary>Reads the file, or the part of it that holds a slice of its examples; no more than that is ever in memory.</summary>
    /// <returns>The shape of the whole file, and the bytes that were read.</returns>
    /// <exception cref="InvalidDataException">The content is not an IDX file of unsigned bytes with so many dimensions, or the slice ends beyond it.</exception>
    public static (ImmutableArray<int> Shape, byte[] Content) Read(string path, int leastDimensions, int mostDimensions, (int Start, int Count)? slice = null)
    {
        using FileStream file = File.OpenRead(path);
        bool compressed = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        try
        {
            if (!compressed)
            {
                return ReadContent(file, path, leastDimensions, mostDimensions, file.Length, exact: true, slice);
            }

            using GZipStream unpacked = new(file, CompressionMode.Decompress);
            return ReadContent(unpacked, path, leastDimensions, mostDimensions, checked(file.Length * MostExpansion), exact: false, slice);
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException($"'{path}' ends before the data its header announces. Fetch the file again.");
        }
        catch (InvalidDataException e) when (compressed && !e.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"'{path}' is damaged gzip: {e.Message} Fetch the file again.", e);
        }
    }

    /// <param name="stream">At the start of the header.</param>
    /// <param name="path">For messages.</param>
    /// <param name="leastDimensions">Fewest dimensions taken.</param>
    /// <param name="mostDimensions">Most dimensions taken.</param>
    /// <param name="available">Bytes the stream can give at most; exactly so many if <paramref name="exact"/>.</param>
    /// <param name="exact">Whether <paramref name="available"/> is the stream's very length.</param>
    /// <param name="slice">Examples to read; all when null.</param>
    private static (ImmutableArray<int> Shape, byte[] Content) ReadContent(
        Stream stream, string path, int leastDimensions, int mostDimensions, long available, bool exact, (int Start, int Count)? slice)
    {
        Span<byte> word = stackalloc byte[sizeof(int)];
        stream.ReadExactly(word);
        int dimensions = word[3];
        if (word[0] != 0 || word[1] != 0 || word[2] != UnsignedByteType || dimensions < leastDimensions || dimensions > mostDimensions)
        {
            string wanted = leastDimensions == mostDimensions ? $"0000080{leastDimensions}" : $"0000080{leastDimensions} to 0000080{mostDimensions}";
            throw new InvalidDataException(
                $"'{path}' begins with {Convert.ToHexString(word)} at offset 0; an IDX file of unsigned bytes with "
                + $"{(leastDimensions == mostDimensions ? $"{leastDimensions}" : $"{leastDimensions} to {mostDimensions}")} dimensions begins with {wanted}. "
                + "Check that images and labels are not exchanged.");
        }

        ImmutableArray<int>.Builder shape = ImmutableArray.CreateBuilder<int>(dimensions);
        long length = 1;
        for (int d = 0; d < dimensions; d++)
        {
            stream.ReadExactly(word);
            long dimension = BinaryPrimitives.ReadUInt32BigEndian(word);
            if (dimension < 1 || length > Array.MaxLength / dimension)
            {
                throw new InvalidDataException(
                    $"'{path}' has dimension {dimension} at offset {sizeof(int) * (d + 1)}; every dimension is at least 1 and their "
                    + $"product at most {Array.MaxLength}. Split a larger data set into several clients' files.");
            }

            length *= dimension;
            shape.Add((int)dimension);
        }

        long whole = length + (sizeof(int) * (dimensions + 1));
        if (exact ? whole != available : whole > available)
        {
            throw new InvalidDataException(
                $"'{path}' announces {string.Join(" x ", shape)} bytes, {whole} with the header, but the file "
                + $"{(exact ? $"has {available}" : $"cannot unpack to more than {available}")}. Fetch the file again.");
        }

        if (slice is { } part)
        {
            return ReadSlice(stream, path, shape, length / shape[0], part);
        }

        byte[] content = new byte[length];
        stream.ReadExactly(content);
        return stream.ReadByte() < 0
            ? (shape.MoveToImmutable(), content)
            : throw new InvalidDataException($"'{path}' goes on after offset {whole}, where its header says it ends. Fetch the file again.");
    }

    private static (ImmutableArray<int> Shape, byte[] Content) ReadSlice(
        Stream stream, string path, ImmutableArray<int>.Builder shape, long exampleBytes, (int Start, int Count) slice)
    {
        if (slice.Start > shape[0] - slice.Count)
        {
            throw new InvalidDataException($"'{path}' holds {shape[0]} examples; the slice {slice.Start}:{slice.Count} ends beyond them. Take START + COUNT up to {shape[0]}.");
        }

        byte[] skipped = new byte[SkipBytes];
        for (long left = slice.Start * exampleBytes; left > 0;)
        {
            int now = (int)Math.Min(left, skipped.Length);
            stream.ReadExactly(skipped.AsSpan(0, now));
            left -= now;
        }

        byte[] content = new byte[slice.Count * exampleBytes];
        stream.ReadExactly(content);
        return (shape.MoveToImmutable(), content);
    }
}
