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
