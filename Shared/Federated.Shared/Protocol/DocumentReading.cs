using System.Buffers;
using System.Text;
using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>
/// Bounded reading of MessagePack documents from untrusted bytes: every length is compared with its limit and with the bytes
/// that are really there before anything is allocated, and every failure becomes a <see cref="ProtocolViolationException"/>.
/// </summary>
public static class DocumentReading
{
    /// <summary>A parser over one document.</summary>
    public delegate T Parser<out T>(ref MessagePackReader reader);

    /// <summary>Runs <paramref name="parse"/>, demands that it consumes all of <paramref name="document"/>, and maps failures.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such a document.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> document, string kind, Parser<T> parse)
    {
        ArgumentNullException.ThrowIfNull(parse);
        MessagePackReader reader = new(document);
        try
        {
            T result = parse(ref reader);
            return reader.End
                ? result
                : throw Malformed(kind, $"{document.Length - reader.Consumed} bytes follow its end");
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException or OverflowException or InvalidOperationException or DecoderFallbackException or ArgumentException)
        {
            throw Malformed(kind, e.Message, e);
        }
    }

    /// <summary>The exception for a document that cannot be read.</summary>
    public static ProtocolViolationException Malformed(string kind, string what, Exception? inner = null) =>
        new(ErrorCode.MalformedDocument, $"The {kind} cannot be read: {what}.", inner);

    /// <summary>Reads the array header and the version that begins every document.</summary>
    /// <exception cref="ProtocolViolationException">Another version or another count of fields.</exception>
    public static void ReadHeader(this ref MessagePackReader reader, string kind, int version, int fields)
    {
        int count = reader.ReadArrayHeader();
        int found = count > 0 ? reader.ReadInt32() : throw Malformed(kind, "it is an empty array");
        if (found != version)
        {
            throw new ProtocolViolationException(
                ErrorCode.UnsupportedVersion, $"The {kind} has version {found}; this software reads version {version}. Update the older side.");
        }

        if (count != fields)
        {
            throw Malformed(kind, $"it has {count} fields, version {version} has {fields}");
        }
    }

    /// <summary>Reads the array header and a version from 1 on of a document that several versions are read of.</summary>
    /// <param name="reader">At the document's start.</param>
    /// <param name="kind">The document, for people.</param>
    /// <param name="fieldsByVersion">How many fields each version has, that of version 1 first.</param>
    /// <returns>The version.</returns>
    /// <exception cref="ProtocolViolationException">Another version or another count of fields.</exception>
    public static int ReadHeader(this ref MessagePackReader reader, string kind, ReadOnlySpan<int> fieldsByVersion)
    {
        int count = reader.ReadArrayHeader();
        int found = count > 0 ? reader.ReadInt32() : throw Malformed(kind, "it is an empty array");
        if (found < 1 || found > fieldsByVersion.Length)
        {
            throw new ProtocolViolationException(
                ErrorCode.UnsupportedVersion,
                $"The {kind} has version {found}; this software reads versions 1 to {fieldsByVersion.Length}. Update the older side.");
        }

        int fields = fieldsByVersion[found - 1];
        return count == fields ? found : throw Malformed(kind, $"it has {count} fields, version {found} has {fields}");
    }

    /// <summary>Reads an integer and demands that it lies in [min, max].</summary>
    public static long ReadInt64InRange(this ref MessagePackReader reader, string kind, string field, long min, long max)
    {
        long value = reader.ReadInt64();
        return value >= min && value <= max ? value : throw Malformed(kind, $"{field} is {value}, allowed is {min} to {max}");
    }

    /// <summary>Reads an integer and demands that it lies in [min, max].</summary>
    public static int ReadInt32InRange(this ref MessagePackReader reader, string kind, string field, int min, int max) =>
        (int)reader.ReadInt64InRange(kind, field, min, max);

    /// <summary>Reads a float64 and demands that it is finite and lies in [min, max].</summary>
    public static double ReadDoubleInRange(this ref MessagePackReader reader, string kind, string field, double min, double max)
    {
        double value = reader.ReadDouble();
        return value >= min && value <= max ? value : throw Malformed(kind, $"{field} is {value}, allowed is {min} to {max}");
    }

    /// <summary>Reads UTF-8 text of at most <paramref name="maxBytes"/> bytes.</summary>
    public static string ReadText(this ref MessagePackReader reader, string kind, string field, int maxBytes)
    {
        if (!reader.TryReadStringSpan(out ReadOnlySpan<byte> utf8))
        {
            ReadOnlySequence<byte>? sequence = reader.ReadStringSequence();
            throw Malformed(kind, sequence is null ? $"{field} is nil" : $"{field} is not contiguous");
        }

        return utf8.Length <= maxBytes
            ? new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8)
            : throw Malformed(kind, $"{field} has {utf8.Length} bytes, the limit is {maxBytes}");
    }

    /// <summary>Reads a binary field of exactly <paramref name="lengthBytes"/> bytes as a slice of the document; nothing is copied.</summary>
    public static ReadOnlyMemory<byte> ReadBinary(this ref MessagePackReader reader, string kind, string field, long lengthBytes)
    {
        ReadOnlySequence<byte> bytes = reader.ReadBytes() ?? throw Malformed(kind, $"{field} is nil");
        if (bytes.Length != lengthBytes)
        {
            throw Malformed(kind, $"{field} has {bytes.Length} bytes, expected are {lengthBytes}");
        }

        return bytes.IsSingleSegment ? bytes.First : bytes.ToArray();
    }

    /// <summary>Reads a binary field of at most <paramref name="mostBytes"/> bytes as a slice of the document; nothing is copied.</summary>
    public static ReadOnlyMemory<byte> ReadBinaryUpTo(this ref MessagePackReader reader, string kind, string field, long mostBytes)
    {
        ReadOnlySequence<byte> bytes = reader.ReadBytes() ?? throw Malformed(kind, $"{field} is nil");
        if (bytes.Length > mostBytes)
        {
            throw Malformed(kind, $"{field} has {bytes.Length} bytes, the limit is {mostBytes}");
        }

        return bytes.IsSingleSegment ? bytes.First : bytes.ToArray();
    }

    /// <summary>Reads a 32-byte hash.</summary>
    public static Models.ContentHash ReadHash(this ref MessagePackReader reader, string kind, string field) =>
        Models.ContentHash.FromBytes(reader.ReadBinary(kind, field, Models.ContentHash.LengthBytes).Span);
}
