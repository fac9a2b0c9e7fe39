using Federated.Shared.Randomness;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Values;

namespace Federated.Shared.Updates.Plain;

/// <summary>
/// The client's halves of the plain path in order: add the residual, pick the largest, quantize, keep what is left, code the indices. Its
/// buffers are used again from update to update. One caller at a time.
/// </summary>
public sealed class PlainEncoder
{
    /// <summary>The bit writer stores four bytes at a time.</summary>
    private const int IndexSlackBytes = 4;

    private readonly PlainCodec _codec;
    private readonly int _parameterCount;
    private readonly float[] _transmitted;
    private readonly float[] _picked;
    private readonly int[] _indices;
    private readonly byte[] _indexBytes;
    private readonly byte[] _valueBytes;
    private int _count;

    /// <summary>An encoder.</summary>
    /// <param name="codec">The settings.</param>
    /// <param name="parameterCount">P, at least 1.</param>
    /// <exception cref="ArgumentException">The settings contradict each other.</exception>
    public PlainEncoder(PlainCodec codec, int parameterCount)
    {
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(parameterCount);
        if (codec.Problem() is { } problem)
        {
            throw new ArgumentException(problem, nameof(codec));
        }

        _codec = codec;
        _parameterCount = parameterCount;
        int count = codec.CountOf(parameterCount);
        _transmitted = new float[count];
        _valueBytes = new byte[ValueCoding.LengthBytes(codec.Values, count)];
        bool sparse = count < parameterCount;
        _picked = sparse ? new float[count] : [];
        _indices = sparse ? new int[count] : [];
        _indexBytes = sparse ? new byte[GolombCode.For(parameterCount, count).MaxLengthBytes + count + IndexSlackBytes] : [];
    }

    /// <summary>Encodes an update.</summary>
    /// <param name="update">[P], finite.</param>
    /// <param name="round">Its round.</param>
    /// <param name="residual">
    /// The client's memory, which takes in the update and gives up what is sent; null exactly when the codec keeps none.
    /// </param>
    /// <param name="dither">Randomness of the rounding when no residual is kept.</param>
    /// <returns>Borrowed from the encoder until its next call.</returns>
    /// <exception cref="ArgumentException">A length is another, a magnitude impossible, or residual or dither missing.</exception>
    public EncodedVector Encode(ReadOnlySpan<float> update, long round, Residual? residual, LaneGenerator? dither)
    {
        if (update.Length != _parameterCount || (residual is null) == _codec.KeepsResidual || (residual is null && dither is null))
        {
            throw new ArgumentException(
                $"An update of {update.Length} parameters {(residual is null ? "without" : "with")} residual; the codec takes {_parameterCount} {(_codec.KeepsResidual ? "with" : "without")} one, and dither where there is none.",
                nameof(update));
        }

        residual?.Accumulate(update, round, _codec);
        ReadOnlySpan<float> input = residual is null ? update : residual.Values;
        LaneGenerator? rounding = residual is null ? dither : null;
        return _indices.Length == 0 ? EncodeAll(input, residual, rounding) : EncodeLargest(input, residual, rounding);
    }

    /// <summary>Gives the residual back what the last call took from it, because the server did not count it.</summary>
    public void Restore(Residual residual)
    {
        ArgumentNullException.ThrowIfNull(residual);
        if (_count == 0)
        {
            return;
        }

        residual.Restore(_indices.AsSpan(0, Math.Min(_count, _indices.Length)), _transmitted.AsSpan(0, _count));
        _count = 0;
    }

    private EncodedVector EncodeAll(ReadOnlySpan<float> input, Residual? residual, LaneGenerator? dither)
    {
        ValueCoding.Encode(_codec.Values, input, dither, _valueBytes, _transmitted);
        residual?.Sent([], _transmitted);
        _count = _parameterCount;
        return Vector(IndexCoding.All, default, _valueBytes);
    }

    private EncodedVector EncodeLargest(ReadOnlySpan<float> input, Residual? residual, LaneGenerator? dither)
    {
        _count = TopKSelection.Select(input, _indices.Length, _indices);
        ReadOnlySpan<int> indices = _indices.AsSpan(0, _count);
        Span<float> picked = _picked.AsSpan(0, _count);
        for (int i = 0; i < indices.Length; i++)
        {
            picked[i] = input[indices[i]];
        }

        Memory<byte> values = _valueBytes.AsMemory(0, (int)ValueCoding.LengthBytes(_codec.Values, _count));
        Span<float> transmitted = _transmitted.AsSpan(0, _count);
        ValueCoding.Encode(_codec.Values, picked, dither, values.Span, transmitted);
        if (_count > 0)
        {
            residual?.Sent(indices, transmitted);
        }

        int indexLength = GolombCode.For(_parameterCount, _count).Encode(indices, _indexBytes);
        return Vector(IndexCoding.Golomb, _indexBytes.AsMemory(0, indexLength), values);
    }

    private EncodedVector Vector(IndexCoding coding, ReadOnlyMemory<byte> indices, ReadOnlyMemory<byte> values) => new()
    {
        ParameterCount = _parameterCount,
        Count = _count,
        IndexCoding = coding,
        ValueEncoding = _codec.Values,
        IndexBytes = indices,
        ValueBytes = values,
    };
}
