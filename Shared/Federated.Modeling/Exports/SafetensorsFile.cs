using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Federated.Modeling.Exports;

/// <summary>A named float32 tensor.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Dimensions, row-major.</param>
/// <param name="Values">As many as the product of the shape.</param>
public sealed record NamedTensor(string Name, IReadOnlyList<int> Shape, ReadOnlyMemory<float> Values)
{
    /// <summary>Whether every value is a finite number.</summary>
    public bool IsFinite => Values.IsEmpty || float.IsFinite(TensorPrimitives.MaxMagnitude(Values.Span));
}

/// <summary>
/// The safetensors format of Hugging Face: the length of a JSON header as 64-bit little-endian, the header, which gives each tensor's type, shape and
/// place, and the tensors' bytes. Float32, float16 and bfloat16 are read, the first two written.
/// </summary>
public static class SafetensorsFile
{
    /// <summary>Most bytes of the header that are read.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    private const int LengthBytes = sizeof(ulong);
    private const string Float32 = "F32";
    private const string Float16 = "F16";
    private const string BFloat16 = "BF16";
    private const int HalfBytes = 2;
    private const string MetadataKey = "__metadata__";

    /// <summary>Encodes tensors in the order given, which is kept.</summary>
    /// <param name="tensors">Names are unique.</param>
    /// <param name="metadata">Texts for the header; null for none.</param>
    /// <param name="half">Whether values are rounded to float16.</param>
    public static byte[] Write(IReadOnlyList<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null, bool half = false)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        JsonObject header = [];
        if (metadata is not null)
        {
            header[MetadataKey] = new JsonObject(metadata.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)m.Value)));
        }

        long end = 0;
        foreach (NamedTensor tensor in tensors)
        {
            long begin = end;
            end = checked(begin + ((long)tensor.Values.Length * (half ? HalfBytes : sizeof(float))));
            header.Add(tensor.Name, new JsonObject
            {
                ["dtype"] = half ? Float16 : Float32,
                ["shape"] = new JsonArray([.. tensor.Shape.Select(d => (JsonNode)d)]),
                ["data_offsets"] = new JsonArray(begin, end),
            });
        }

        // Spaces bring the tensors to a multiple of eight bytes, as the format advises.
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        int padded = (json.Length + LengthBytes - 1) / LengthBytes * LengthBytes;
        byte[] file = new byte[checked(LengthBytes + padded + end)];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)padded);
        json.CopyTo(file, LengthBytes);
        file.AsSpan(LengthBytes + json.Length, padded - json.Length).Fill((byte)' ');
        Span<byte> content = file.AsSpan(LengthBytes + padded);
        foreach (NamedTensor tensor in tensors)
        {
            int length = tensor.Values.Length * (half ? HalfBytes : sizeof(float));
            if (half)
            {
                TensorPrimitives.ConvertToHalf(tensor.Values.Span, MemoryMarshal.Cast<byte, Half>(content[..length]));
            }
            else
            {
                MemoryMarshal.AsBytes(tensor.Values.Span).CopyTo(content);
            }

            content = content[length..];
        }

        return file;
    }

    /// <summary>Reads a file's tensors in the order of its header.</summary>
    /// <exception cref="InvalidDataException">
    /// The bytes are no such file, the tensors do not lie one behind the other without gaps, as the format demands, or one is of another type than those three.
    /// </exception>
    public static IReadOnlyList<NamedTensor> Read(ReadOnlyMemory<byte> file)
    {
        if (file.Length < LengthBytes)
        {
            throw Refuse($"it has {file.Length} bytes");
        }

        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(file.Span);
        if (headerLength > MaxHeaderBytes || headerLength > (ulong)(file.Length - LengthBytes))
        {
            throw Refuse($"its header is said to have {headerLength} bytes of {file.Length}");
        }

        try
        {
            JsonObject header = RequiredKey.Root(JsonNode.Parse(file.Span.Slice(LengthBytes, (int)headerLength)));
            ReadOnlyMemory<byte> content = file[(LengthBytes + (int)headerLength)..];
            List<(string Name, JsonObject Entry)> entries = [.. header.Where(entry => entry.Key != MetadataKey).Select(entry => (entry.Key, RequiredKey.Of<JsonObject>(header, entry.Key)))];
            DemandOneBehindTheOther(entries, content.Length);
            return [.. entries.Select(entry => ReadTensor(entry.Name, entry.Entry, content))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException or OverflowException)
        {
            throw Refuse(e.Message, e);
        }
    }

    /// <summary>Tensors that overlap would take many times the file's length.</summary>
    private static void DemandOneBehindTheOther(IEnumerable<(string Name, JsonObject Entry)> entries, long length)
    {
        long reached = 0;
        foreach ((string name, (long begin, long end)) in entries.Select(entry => (entry.Name, Place: PlaceOf(entry.Entry))).OrderBy(entry => entry.Place))
        {
            if (begin != reached || end < begin)
            {
                throw Refuse($"tensor '{name}' lies at {begin} to {end} where the one before it ends at {reached}; tensors lie one behind the other");
            }

            reached = end;
        }

        if (reached != length)
        {
            throw Refuse($"its tensors end at {reached} of {length} bytes");
        }
    }

    private static (long Begin, long End) PlaceOf(JsonObject entry) => RequiredKey.AllOf<long>(entry, "data_offsets") is [long begin, long end]
        ? (begin, end)
        : throw new FormatException($"{entry.GetPropertyName()}.data_offsets does not have two numbers");

    private static NamedTensor ReadTensor(string name, JsonObject entry, ReadOnlyMemory<byte> content)
    {
        string type = RequiredKey.Of<string>(entry, "dtype");
        int width = type switch
        {
            Float32 => sizeof(float),
            Float16 or BFloat16 => HalfBytes,
            _ => throw Refuse($"tensor '{name}' holds {type} where {Float32}, {Float16} and {BFloat16} are supported"),
        };
        int[] shape = [.. RequiredKey.AllOf<int>(entry, "shape")];
        (long begin, long end) = PlaceOf(entry);
        long expected = shape.Aggregate((long)width, (product, d) => d < 0 ? throw new OverflowException("a dimension is negative") : checked(product * d));
        return begin >= 0 && end <= content.Length && end - begin == expected
            ? new NamedTensor(name, shape, Floats(content.Span[(int)begin..(int)end], type))
            : throw Refuse($"tensor '{name}' of shape [{string.Join(", ", shape)}] lies at {begin} to {end} of {content.Length} bytes");
    }

    private static float[] Floats(ReadOnlySpan<byte> bytes, string type)
    {
        if (type == Float32)
        {
            return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        }

        float[] values = new float[bytes.Length / HalfBytes];
        if (type == Float16)
        {
            TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), values);
            return values;
        }

        // A bfloat16 is the upper half of a float32.
        ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
        }

        return values;
    }

    private static InvalidDataException Refuse(string what, Exception? inner = null) => new($"This is no safetensors file: {what}.", inner);
}
