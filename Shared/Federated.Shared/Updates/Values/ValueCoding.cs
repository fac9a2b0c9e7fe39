using System.Runtime.InteropServices;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;

namespace Federated.Shared.Updates.Values;

/// <summary>The value encodings behind one door.</summary>
public static class ValueCoding
{
    /// <summary>Values that <see cref="Decode"/> gives at a time.</summary>
    internal const int ChunkLength = BlockQuantizer.BlockLength;

    /// <summary>Bytes of so many values.</summary>
    public static long LengthBytes(ValueEncoding encoding, int count) => encoding switch
    {
        ValueEncoding.RawFloat32 => (long)count * sizeof(float),
        ValueEncoding.Sign => SignQuantizer.LengthBytes(count),
        _ => BlockQuantizer.LengthBytes(count, WidthBits(encoding)),
    };

    /// <summary>Encodes values.</summary>
    /// <param name="encoding">How.</param>
    /// <param name="values">[n], finite, magnitudes at most 2^100.</param>
    /// <param name="dither">Makes the block encodings round at random; null rounds to the nearest level. The others take no notice.</param>
    /// <param name="destination">Exactly <see cref="LengthBytes"/>.</param>
    /// <param name="transmitted">What the reader will see: [n].</param>
    /// <exception cref="ArgumentException">A value or a length is impossible.</exception>
    public static void Encode(
        ValueEncoding encoding, ReadOnlySpan<float> values, LaneGenerator? dither, Span<byte> destination, Span<float> transmitted)
    {
        switch (encoding)
        {
            case ValueEncoding.RawFloat32:
                MemoryMarshal.AsBytes(values).CopyTo(destination);
                values.CopyTo(transmitted);
                break;
            case ValueEncoding.Sign:
                SignQuantizer.Encode(values, destination, transmitted);
                break;
            default:
                if (dither is null)
                {
                    BlockQuantizer.EncodeNearest(values, WidthBits(encoding), destination, transmitted);
                }
                else
                {
                    BlockQuantizer.EncodeStochastic(values, WidthBits(encoding), dither, destination, transmitted);
                }

                break;
        }
    }

    /// <summary>Decodes at most <see cref="ChunkLength"/> values from <paramref name="first"/> on, a multiple of it.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not what an encoder writes.</exception>
    internal static void Decode(ValueEncoding encoding, ReadOnlySpan<byte> source, int first, Span<float> values)
    {
        switch (encoding)
        {
            case ValueEncoding.RawFloat32:
                MemoryMarshal.Cast<byte, float>(source.Slice(first * sizeof(float), values.Length * sizeof(float))).CopyTo(values);
                break;
            case ValueEncoding.Sign:
                SignQuantizer.Decode(source, first, values);
                break;
            default:
                BlockQuantizer.DecodeBlock(source, WidthBits(encoding), first, values);
                break;
        }
    }

    private static int WidthBits(ValueEncoding encoding) => encoding switch
    {
        ValueEncoding.Block8 => 8,
        ValueEncoding.Block4 => 4,
        ValueEncoding.Block2 => 2,
        _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding, "Unknown value encoding."),
    };
}
