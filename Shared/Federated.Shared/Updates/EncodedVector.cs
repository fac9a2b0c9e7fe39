using System.Buffers;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Values;
using MessagePack;

namespace Federated.Shared.Updates;

/// <summary>Which parameters the values of an encoded vector belong to. Numbers are wire format.</summary>
public enum IndexCoding
{
    /// <summary>All of them.</summary>
    All = 0,

    /// <summary>Those whose indices go along, in Golomb's code.</summary>
    Golomb = 1,

    /// <summary>Those of an index set that both sides have.</summary>
    Shared = 2,
}

/// <summary>
/// A vector of P parameters of which k are written and the others are zero: MessagePack array [version = 1, P, k, index coding, value
/// encoding, bin of indices, bin of values]. The bytes are described in docs/CODECS.md. Indices and values are borrowed from whoever made
/// the record.
/// </summary>
public sealed record EncodedVector
{
    private const string Kind = "encoded vector";
    private const int FormatVersion = 1;
    private const int Fields = 7;

    /// <summary>Most bytes that the document needs beyond indices and values.</summary>
    public const int OverheadBytes = 32;

    /// <summary>P.</summary>
    public required int ParameterCount { get; init; }

    /// <summary>k, 0 to P.</summary>
    public required int Count { get; init; }

    /// <summary>Which parameters.</summary>
    public required IndexCoding IndexCoding { get; init; }

    /// <summary>How the values are written.</summary>
    public required ValueEncoding ValueEncoding { get; init; }

    /// <summary>Golomb-coded indices; empty unless they go along.</summary>
    public required ReadOnlyMemory<byte> IndexBytes { get; init; }

    /// <summary>Encoded values.</summary>
    public required ReadOnlyMemory<byte> ValueBytes { get; init; }

    /// <summary>Bytes of the document, at most.</summary>
    public int MaxLengthBytes => IndexBytes.Length + ValueBytes.Length + OverheadBytes;

    /// <summary>Encodes the document.</summary>
    public byte[] ToBytes()
    {
        ArrayBufferWriter<byte> buffer = new(MaxLengthBytes);
        Write(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Encodes the document into a caller's buffer.</summary>
    public void Write(IBufferWriter<byte> destination)
    {
        MessagePackWriter writer = new(destination);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write(ParameterCount);
        writer.Write(Count);
        writer.Write((int)IndexCoding);
        writer.Write((int)ValueEncoding);
        writer.Write(IndexBytes.Span);
        writer.Write(ValueBytes.Span);
        writer.Flush();
    }

    /// <summary>
    /// Reads a vector of <paramref name="parameterCount"/> parameters. Lengths are checked; indices and values are looked at by
    /// <see cref="CopyTo"/>.
    /// </summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such a vector.</exception>
    public static EncodedVector FromBytes(ReadOnlyMemory<byte> document, int parameterCount) =>
        DocumentReading.Read(document, Kind, (ref MessagePackReader reader) =>
        {
            reader.ReadHeader(Kind, FormatVersion, Fields);
            int parameters = reader.ReadInt32InRange(Kind, "parameter count", parameterCount, parameterCount);
            int count = reader.ReadInt32InRange(Kind, "count", 0, parameters);
            IndexCoding coding = (IndexCoding)reader.ReadInt32InRange(Kind, "index coding", 0, 2);
            ValueEncoding encoding = (ValueEncoding)reader.ReadInt32InRange(Kind, "value encoding", 1, 5);
            if (coding == IndexCoding.All && count != parameters)
            {
                throw DocumentReading.Malformed(Kind, $"it has {count} values for all of {parameters} parameters");
            }

            long most = coding == IndexCoding.Golomb ? GolombCode.For(parameters, count).MaxLengthBytes : 0;
            return new EncodedVector
            {
                ParameterCount = parameters,
                Count = count,
                IndexCoding = coding,
                ValueEncoding = encoding,
                IndexBytes = reader.ReadBinaryUpTo(Kind, "indices", most),
                ValueBytes = reader.ReadBinary(Kind, "values", ValueCoding.LengthBytes(encoding, count)),
            };
        });

    /// <summary>Decodes into a dense vector: [P]; zero where nothing was written. Allocates nothing.</summary>
    /// <param name="vector">[P]. Its content is undefined after an exception.</param>
    /// <param name="shared">The index set, when it is shared.</param>
    /// <exception cref="ProtocolViolationException">Indices or values are not what an encoder writes.</exception>
    /// <exception cref="ArgumentException">The length is not P, or the shared set is missing or another.</exception>
    public void CopyTo(Span<float> vector, IndexSet? shared = null)
    {
        DemandTarget(vector.Length, shared);
        if (IndexCoding != IndexCoding.All)
        {
            vector.Clear();
        }

        Visit(vector, shared, assign: true);
    }

    /// <summary>Adds to a dense vector: [P]. Allocates nothing.</summary>
    /// <inheritdoc cref="CopyTo"/>
    public void AddTo(Span<float> vector, IndexSet? shared = null)
    {
        DemandTarget(vector.Length, shared);
        Visit(vector, shared, assign: false);
    }

    /// <summary>Replaces the parameters that are written and leaves the others: [P]. Allocates nothing.</summary>
    /// <inheritdoc cref="CopyTo"/>
    public void Replace(Span<float> vector, IndexSet? shared = null)
    {
        DemandTarget(vector.Length, shared);
        Visit(vector, shared, assign: true);
    }

    private void Visit(Span<float> vector, IndexSet? shared, bool assign)
    {
        ReadOnlySpan<byte> valueBytes = ValueBytes.Span;
        GolombCode.Reader reader = GolombCode.For(ParameterCount, Count).Read(IndexBytes.Span);
        Span<float> values = stackalloc float[ValueCoding.ChunkLength];
        Span<int> read = stackalloc int[ValueCoding.ChunkLength];
        for (int first = 0; first < Count; first += ValueCoding.ChunkLength)
        {
            int length = Math.Min(ValueCoding.ChunkLength, Count - first);
            ValueCoding.Decode(ValueEncoding, valueBytes, first, values[..length]);
            if (IndexCoding == IndexCoding.All)
            {
                Dense(values[..length], vector.Slice(first, length), assign);
                continue;
            }

            if (IndexCoding == IndexCoding.Golomb)
            {
                reader.Next(read[..length]);
            }

            ReadOnlySpan<int> indices = IndexCoding == IndexCoding.Golomb ? read[..length] : shared!.Indices.Slice(first, length);
            for (int i = 0; i < indices.Length; i++)
            {
                ref float target = ref vector[indices[i]];
                target = assign ? values[i] : target + values[i];
            }
        }

        reader.Finish();
    }

    private static void Dense(ReadOnlySpan<float> values, Span<float> target, bool assign)
    {
        if (assign)
        {
            values.CopyTo(target);
        }
        else
        {
            System.Numerics.Tensors.TensorPrimitives.Add(target, values, target);
        }
    }

    private void DemandTarget(int length, IndexSet? shared)
    {
        if (length != ParameterCount)
        {
            throw new ArgumentException($"The vector has {length} elements, {ParameterCount} are encoded.", nameof(length));
        }

        bool wanted = IndexCoding == IndexCoding.Shared;
        if (wanted && (shared is null || shared.ParameterCount != ParameterCount || shared.Count != Count))
        {
            throw new ArgumentException(
                $"The values belong to a shared set of {Count} of {ParameterCount} indices; the set given is {(shared is null ? "none" : $"one of {shared.Count} of {shared.ParameterCount}")}.",
                nameof(shared));
        }
    }
}
