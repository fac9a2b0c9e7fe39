using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Google.Protobuf.Collections;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Onnx;

/// <summary>Makes tensors and reads their content, whether it is stored raw or in typed fields.</summary>
public static class TensorContent
{
    /// <summary>An int64 vector: [n], n = the number of values.</summary>
    public static TensorProto Int64Vector(params ReadOnlySpan<long> values) => Integers(values, [values.Length]);

    /// <summary>An int64 tensor of a shape.</summary>
    /// <param name="values">Row-major; as many as the product of the shape.</param>
    /// <param name="shape">Dimensions; empty for a scalar.</param>
    public static TensorProto Integers(ReadOnlySpan<long> values, ReadOnlySpan<long> shape)
    {
        byte[] raw = new byte[values.Length * sizeof(long)];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(raw.AsSpan(i * sizeof(long)), values[i]);
        }

        return Raw(DataType.Int64, raw, shape);
    }

    /// <summary>A floating-point tensor.</summary>
    /// <param name="type"><see cref="DataType.Float"/> or <see cref="DataType.Double"/>.</param>
    /// <param name="values">Row-major; as many as the product of the shape.</param>
    /// <param name="shape">Dimensions; empty for a scalar.</param>
    /// <exception cref="ArgumentException">The type is another one.</exception>
    public static TensorProto Floating(DataType type, ReadOnlySpan<double> values, ReadOnlySpan<long> shape)
    {
        int width = type switch
        {
            DataType.Float => sizeof(float),
            DataType.Double => sizeof(double),
            _ => throw new ArgumentException($"{type} is not a floating-point type of this project; use Float or Double.", nameof(type)),
        };
        byte[] raw = new byte[values.Length * width];
        for (int i = 0; i < values.Length; i++)
        {
            Span<byte> element = raw.AsSpan(i * width);
            if (type == DataType.Float)
            {
                BinaryPrimitives.WriteSingleLittleEndian(element, (float)values[i]);
            }
            else
            {
                BinaryPrimitives.WriteDoubleLittleEndian(element, values[i]);
            }
        }

        return Raw(type, raw, shape);
    }

    /// <summary>The values of an int64 tensor, row-major.</summary>
    /// <exception cref="OnnxFormatException">It has another type, or lies in another file.</exception>
    public static long[] ReadInt64(TensorProto tensor) => Read(tensor, DataType.Int64, t => t.Int64Data);

    /// <summary>The values of an int32 tensor, row-major.</summary>
    /// <exception cref="OnnxFormatException">It has another type, or lies in another file.</exception>
    public static int[] ReadInt32(TensorProto tensor) => Read(tensor, DataType.Int32, t => t.Int32Data);

    /// <summary>The truth values of a bool tensor, row-major.</summary>
    /// <exception cref="OnnxFormatException">It has another type, or lies in another file.</exception>
    public static bool[] ReadBool(TensorProto tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.HasRawData
            ? [.. Read<byte>(tensor, DataType.Bool, _ => []).Select(v => v != 0)]
            : [.. Read(tensor, DataType.Bool, t => t.Int32Data).Select(v => v != 0)];
    }

    /// <summary>The values of a float32 tensor, row-major.</summary>
    /// <exception cref="OnnxFormatException">It has another type, or lies in another file.</exception>
    public static float[] ReadFloat(TensorProto tensor) => Read(tensor, DataType.Float, t => t.FloatData);

    /// <summary>The values of a float64 tensor, row-major.</summary>
    /// <exception cref="OnnxFormatException">It has another type, or lies in another file.</exception>
    public static double[] ReadDouble(TensorProto tensor) => Read(tensor, DataType.Double, t => t.DoubleData);

    /// <summary>Bytes that content of a tensor's type and shape takes as raw data; null for types whose elements have no fixed width.</summary>
    /// <exception cref="OnnxFormatException">No file could hold so many.</exception>
    public static long? LengthBytes(TensorProto tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        int bits = WidthBits((DataType)tensor.DataType);
        try
        {
            return bits == 0 ? null : checked((tensor.Dims.Aggregate((long)bits, (product, dimension) => product * dimension) + 7) / 8);
        }
        catch (OverflowException e)
        {
            throw new OnnxFormatException($"Tensor '{tensor.Name}' has the shape [{string.Join(", ", tensor.Dims)}], which no file can hold.", e);
        }
    }

    /// <summary>Refuses a tensor whose content is shorter or longer than its type and shape say. Content in another file is refused, too.</summary>
    /// <param name="tensor">Of a type without a fixed width nothing is known, and it passes.</param>
    /// <param name="name">What a message calls it.</param>
    /// <exception cref="OnnxFormatException">The content is not that of the shape.</exception>
    public static void DemandWhole(TensorProto tensor, string name)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.DataLocation == DataLocation.External)
        {
            throw new OnnxFormatException($"Tensor '{name}' lies in another file; only initializers of the main graph are read from there. Store it inside the model.");
        }

        if (LengthBytes(tensor) is not { } expected || StoredBytes(tensor) is not { } stored || stored == expected)
        {
            return;
        }

        throw new OnnxFormatException(
            $"Tensor '{name}' has {stored} bytes of content; {(DataType)tensor.DataType} [{string.Join(", ", tensor.Dims)}] wants {expected}. The file is cut off or broken.");
    }

    private static int WidthBits(DataType type) => type switch
    {
        DataType.Int4 => 4,
        DataType.Bool or DataType.Int8 or DataType.Uint8 => 8,
        DataType.Float16 or DataType.Bfloat16 or DataType.Int16 or DataType.Uint16 => 16,
        DataType.Float or DataType.Int32 or DataType.Uint32 => 32,
        DataType.Double or DataType.Int64 or DataType.Uint64 or DataType.Complex64 => 64,
        DataType.Complex128 => 128,
        _ => 0,
    };

    /// <summary>Bytes that the content would have as raw data; null where typed fields hold more than an element a number.</summary>
    private static long? StoredBytes(TensorProto tensor)
    {
        if (tensor.HasRawData)
        {
            return tensor.RawData.Length;
        }

        DataType type = (DataType)tensor.DataType;
        int? count = type switch
        {
            DataType.Int4 or DataType.Complex64 or DataType.Complex128 => null,
            DataType.Float => tensor.FloatData.Count,
            DataType.Double => tensor.DoubleData.Count,
            DataType.Int64 => tensor.Int64Data.Count,
            DataType.Uint32 or DataType.Uint64 => tensor.Uint64Data.Count,
            _ => tensor.Int32Data.Count,
        };
        return (long?)count * WidthBits(type) / 8;
    }

    private static T[] Read<T>(TensorProto tensor, DataType type, Func<TensorProto, RepeatedField<T>> typedField)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.DataType != (int)type)
        {
            throw new OnnxFormatException($"Tensor '{tensor.Name}' holds {(DataType)tensor.DataType} where {type} is needed.");
        }

        if (tensor.DataLocation == DataLocation.External)
        {
            throw new OnnxFormatException($"Tensor '{tensor.Name}' lies in another file; its content is needed here. Store it inside the model.");
        }

        T[] values = tensor.HasRawData ? FromRaw<T>(tensor) : [.. typedField(tensor)];
        long expected = tensor.Dims.Aggregate(1L, (product, dimension) => checked(product * dimension));
        return values.Length == expected
            ? values
            : throw new OnnxFormatException($"Tensor '{tensor.Name}' has {values.Length} elements; its shape [{string.Join(", ", tensor.Dims)}] wants {expected}.");
    }

    private static T[] FromRaw<T>(TensorProto tensor)
        where T : unmanaged
    {
        ReadOnlySpan<byte> raw = tensor.RawData.Span;
        if (raw.Length % Unsafe.SizeOf<T>() != 0)
        {
            throw new OnnxFormatException($"Tensor '{tensor.Name}' has {raw.Length} bytes, no multiple of {Unsafe.SizeOf<T>()}.");
        }

        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("ONNX tensors are little-endian; this machine is not.");
        }

        return MemoryMarshal.Cast<byte, T>(raw).ToArray();
    }

    private static TensorProto Raw(DataType type, byte[] raw, ReadOnlySpan<long> shape)
    {
        TensorProto tensor = new() { DataType = (int)type, RawData = UnsafeByteOperations.UnsafeWrap(raw) };
        tensor.Dims.AddRange(shape.ToArray());
        return tensor;
    }
}
