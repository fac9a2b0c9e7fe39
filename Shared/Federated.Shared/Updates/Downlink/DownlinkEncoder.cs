using System.Buffers;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Values;

namespace Federated.Shared.Updates.Downlink;

/// <summary>
/// The server's half of the downlink: writes a committed adapter in each form. A job writes the change to each version (<see cref="SameSet"/> or
/// <see cref="Change"/>) and the adapter in 8 bits; <see cref="Delta"/> and the exact <see cref="Full"/> belong to the format, clients read them, and no
/// job writes them. The client's half is <see cref="DownlinkDocument.Apply"/>.
/// </summary>
public static class DownlinkEncoder
{
    private const int IndexSlackBytes = 4;

    /// <summary>The change on the index set of the round that led to this version.</summary>
    /// <param name="previous">Adapter of the previous version: [P].</param>
    /// <param name="adapter">The new one: [P].</param>
    /// <param name="modelVersion">Its version.</param>
    /// <param name="set">The round's set; what changed outside of it is left out.</param>
    public static DownlinkDocument SameSet(ReadOnlySpan<float> previous, ReadOnlySpan<float> adapter, long modelVersion, IndexSet set)
    {
        ArgumentNullException.ThrowIfNull(set);
        DemandSameLength(previous, adapter);
        float[] change = new float[set.Count];
        float[] before = new float[set.Count];
        set.Gather(adapter, change);
        set.Gather(previous, before);
        System.Numerics.Tensors.TensorPrimitives.Subtract(change, before, change);
        return Document(DownlinkForm.SameSet, modelVersion - 1, modelVersion, adapter.Length, default, change);
    }

    /// <summary>The parameters that differ, bit for bit.</summary>
    /// <param name="held">Adapter that the client holds: [P].</param>
    /// <param name="heldVersion">Its version.</param>
    /// <param name="adapter">The new one: [P].</param>
    /// <param name="modelVersion">Its version.</param>
    public static DownlinkDocument Delta(ReadOnlySpan<float> held, long heldVersion, ReadOnlySpan<float> adapter, long modelVersion)
    {
        DemandSameLength(held, adapter);
        int[] indices = Differing(held, adapter);
        float[] values = new float[indices.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = adapter[indices[i]];
        }

        return Document(DownlinkForm.Delta, heldVersion, modelVersion, adapter.Length, Coded(adapter.Length, indices), values);
    }

    /// <summary>The change of the parameters that differ, in 8-bit blocks: with their indices, or of all parameters where that is shorter.</summary>
    /// <param name="previous">Adapter of the previous version: [P].</param>
    /// <param name="adapter">The new one: [P].</param>
    /// <param name="modelVersion">Its version.</param>
    public static DownlinkDocument Change(ReadOnlySpan<float> previous, ReadOnlySpan<float> adapter, long modelVersion)
    {
        DemandSameLength(previous, adapter);
        int[] indices = Differing(previous, adapter);
        ReadOnlyMemory<byte> coded = indices.Length == adapter.Length ? default : Coded(adapter.Length, indices);
        float[] change = new float[adapter.Length];
        System.Numerics.Tensors.TensorPrimitives.Subtract(adapter, previous, change);
        if (indices.Length + coded.Length >= adapter.Length)
        {
            return Document(DownlinkForm.WholeChange8, modelVersion - 1, modelVersion, adapter.Length, default, change);
        }

        float[] values = new float[indices.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = change[indices[i]];
        }

        return Document(DownlinkForm.Change8, modelVersion - 1, modelVersion, adapter.Length, coded, values);
    }

    /// <summary>All parameters, in 8-bit blocks or as float32.</summary>
    /// <param name="adapter">[P].</param>
    /// <param name="modelVersion">Its version.</param>
    /// <param name="exact">float32.</param>
    public static DownlinkDocument Full(ReadOnlySpan<float> adapter, long modelVersion, bool exact) => Document(
        exact ? DownlinkForm.Adapter32 : DownlinkForm.Adapter8, DownlinkDocument.NoBase, modelVersion, adapter.Length, default, adapter);

    private static int[] Differing(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        int[] indices = ArrayPool<int>.Shared.Rent(other.Length);
        int count = 0;
        for (int i = 0; i < other.Length; i++)
        {
            indices[count] = i;
            count += BitConverter.SingleToUInt32Bits(one[i]) == BitConverter.SingleToUInt32Bits(other[i]) ? 0 : 1;
        }

        int[] differing = indices[..count];
        ArrayPool<int>.Shared.Return(indices);
        return differing;
    }

    private static ReadOnlyMemory<byte> Coded(int parameterCount, ReadOnlySpan<int> indices)
    {
        GolombCode code = GolombCode.For(parameterCount, indices.Length);
        byte[] coded = new byte[code.MaxLengthBytes + IndexSlackBytes];
        return coded.AsMemory(0, code.Encode(indices, coded));
    }

    private static DownlinkDocument Document(
        DownlinkForm form, long baseVersion, long modelVersion, int parameterCount, ReadOnlyMemory<byte> indices, ReadOnlySpan<float> values)
    {
        (IndexCoding coding, ValueEncoding encoding, _) = DownlinkDocument.ContentOf(form);
        byte[] bytes = new byte[ValueCoding.LengthBytes(encoding, values.Length)];
        ValueCoding.Encode(encoding, values, dither: null, bytes, new float[values.Length]);
        return new DownlinkDocument
        {
            Form = form,
            BaseVersion = baseVersion,
            ModelVersion = modelVersion,
            Vector = new EncodedVector
            {
                ParameterCount = parameterCount,
                Count = values.Length,
                IndexCoding = coding,
                ValueEncoding = encoding,
                IndexBytes = indices,
                ValueBytes = bytes,
            },
        };
    }

    private static void DemandSameLength(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        if (one.Length != other.Length)
        {
            throw new ArgumentException($"The adapters have {one.Length} and {other.Length} parameters.", nameof(one));
        }
    }
}
