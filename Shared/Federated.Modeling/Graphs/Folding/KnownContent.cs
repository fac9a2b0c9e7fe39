using System.Buffers.Binary;
using System.Collections.Immutable;
using Federated.Modeling.Onnx;
using Google.Protobuf;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Graphs.Folding;

/// <summary>
/// The content of a tensor as far as it is known before a run: that of a constant, or whole numbers some of which are sizes of symbolic dimensions, as the
/// output of Shape has them. Immutable.
/// </summary>
internal sealed class KnownContent
{
    /// <summary>Larger tensors are not looked into.</summary>
    public const int MaxElements = 1 << 20;

    public KnownContent(DataType type, ImmutableArray<int> shape, ImmutableArray<KnownElement> elements)
    {
        Type = type;
        Shape = shape;
        Elements = elements;
    }

    public DataType Type { get; }

    public ImmutableArray<int> Shape { get; }

    /// <summary>Row-major.</summary>
    public ImmutableArray<KnownElement> Elements { get; }

    public bool IsFloating => Floating(Type);

    /// <summary>True if no element is the size of a symbolic dimension.</summary>
    public bool IsComplete => Elements.All(e => e.Symbol is null);

    /// <summary>The element at a position.</summary>
    public KnownElement this[ReadOnlySpan<int> position]
    {
        get
        {
            int flat = 0;
            for (int i = 0; i < Shape.Length; i++)
            {
                flat = (flat * Shape[i]) + position[i];
            }

            return Elements[flat];
        }
    }

    public static bool Floating(DataType type) => type is DataType.Float or DataType.Double;

    /// <summary>True for the types whose content is followed.</summary>
    public static bool Supports(DataType type) => type is DataType.Float or DataType.Double or DataType.Int64 or DataType.Int32 or DataType.Bool;

    /// <summary>The sizes of a shape of which all are known and that has few enough elements; null for others.</summary>
    public static ImmutableArray<int>? Sizes(TensorShape shape, int maxElements = MaxElements) =>
        shape.IsKnown && DimensionProduct.Of(shape.Dimensions).Size <= maxElements && shape.Dimensions.All(d => d.Size <= maxElements)
            ? [.. shape.Dimensions.Select(d => (int)d.Size)]
            : null;

    /// <summary>Computes every element from its position; null if one is not known.</summary>
    public static KnownContent? Make(DataType type, ImmutableArray<int> shape, Func<int[], KnownElement?> element)
    {
        int count = shape.Aggregate(1, (product, d) => product * d);
        ImmutableArray<KnownElement>.Builder elements = ImmutableArray.CreateBuilder<KnownElement>(count);
        int[] position = new int[shape.Length];
        for (int i = 0; i < count; i++)
        {
            if (element(position) is not { } value)
            {
                return null;
            }

            elements.Add(value);
            Advance(position, shape);
        }

        return new KnownContent(type, shape, elements.MoveToImmutable());
    }

    /// <summary>The content of a constant; null if it is too large, of a type that is not followed, or in another file.</summary>
    public static KnownContent? Of(TensorProto constant)
    {
        DataType type = (DataType)constant.DataType;
        if (!Supports(type) || constant.DataLocation == DataLocation.External || Sizes(TensorShape.OfSizes(constant.Dims)) is not { } shape)
        {
            return null;
        }

        ImmutableArray<KnownElement> elements = type switch
        {
            DataType.Float => [.. TensorContent.ReadFloat(constant).Select(v => KnownElement.OfNumber(v))],
            DataType.Double => [.. TensorContent.ReadDouble(constant).Select(KnownElement.OfNumber)],
            DataType.Int64 => [.. TensorContent.ReadInt64(constant).Select(v => new KnownElement(v))],
            DataType.Int32 => [.. TensorContent.ReadInt32(constant).Select(v => new KnownElement(v))],
            _ => [.. TensorContent.ReadBool(constant).Select(KnownElement.Of)],
        };
        return new KnownContent(type, shape, elements);
    }

    /// <summary>A constant of this content, which must be complete.</summary>
    public TensorProto ToConstant()
    {
        int width = Type switch
        {
            DataType.Bool => sizeof(bool),
            DataType.Float or DataType.Int32 => sizeof(int),
            _ => sizeof(long),
        };
        byte[] raw = new byte[Elements.Length * width];
        for (int i = 0; i < Elements.Length; i++)
        {
            Write(raw.AsSpan(i * width), Elements[i]);
        }

        return new TensorProto { DataType = (int)Type, RawData = UnsafeByteOperations.UnsafeWrap(raw), Dims = { Shape.Select(d => (long)d) } };
    }

    /// <summary>The shape that whole numbers spell: a vector's elements, a scalar's one size. Null if there is a negative one.</summary>
    public TensorShape? ToShape()
    {
        if (Shape.Length > 1 || IsFloating)
        {
            return null;
        }

        ImmutableArray<Dimension?> dimensions = [.. Elements.Select(e => e.ToDimension())];
        return dimensions.All(d => d is not null) ? TensorShape.Of(dimensions.Select(d => d!.Value)) : null;
    }

    private static void Advance(int[] position, ImmutableArray<int> shape)
    {
        for (int i = shape.Length - 1; i >= 0 && ++position[i] == shape[i]; i--)
        {
            position[i] = 0;
        }
    }

    private void Write(Span<byte> destination, KnownElement element)
    {
        switch (Type)
        {
            case DataType.Float:
                BinaryPrimitives.WriteSingleLittleEndian(destination, (float)element.Number);
                break;
            case DataType.Double:
                BinaryPrimitives.WriteDoubleLittleEndian(destination, element.Number);
                break;
            case DataType.Int64:
                BinaryPrimitives.WriteInt64LittleEndian(destination, element.Integer);
                break;
            case DataType.Int32:
                BinaryPrimitives.WriteInt32LittleEndian(destination, unchecked((int)element.Integer));
                break;
            default:
                destination[0] = (byte)(element.Integer != 0 ? 1 : 0);
                break;
        }
    }
}
