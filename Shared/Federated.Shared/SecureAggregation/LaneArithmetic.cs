using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Federated.Shared.SecureAggregation;

/// <summary>Addition of lanes modulo 2^8, 2^16 or 2^32 by vector instructions. It wraps: that is the group the masks live in.</summary>
internal static class LaneArithmetic
{
    /// <summary>target += addend, lane by lane; both of the same length, a multiple of <paramref name="laneBytes"/>.</summary>
    public static void Add(Span<byte> target, ReadOnlySpan<byte> addend, int laneBytes)
    {
        switch (laneBytes)
        {
            case 1:
                Add<byte>(target, addend);
                break;
            case 2:
                Add<ushort>(MemoryMarshal.Cast<byte, ushort>(target), MemoryMarshal.Cast<byte, ushort>(addend));
                break;
            default:
                Add<uint>(MemoryMarshal.Cast<byte, uint>(target), MemoryMarshal.Cast<byte, uint>(addend));
                break;
        }
    }

    /// <summary>target −= subtrahend, lane by lane.</summary>
    public static void Subtract(Span<byte> target, ReadOnlySpan<byte> subtrahend, int laneBytes)
    {
        switch (laneBytes)
        {
            case 1:
                Subtract<byte>(target, subtrahend);
                break;
            case 2:
                Subtract<ushort>(MemoryMarshal.Cast<byte, ushort>(target), MemoryMarshal.Cast<byte, ushort>(subtrahend));
                break;
            default:
                Subtract<uint>(MemoryMarshal.Cast<byte, uint>(target), MemoryMarshal.Cast<byte, uint>(subtrahend));
                break;
        }
    }

    private static void Add<T>(Span<T> target, ReadOnlySpan<T> addend)
        where T : IBinaryInteger<T> => TensorPrimitives.Add(target, addend, target);

    private static void Subtract<T>(Span<T> target, ReadOnlySpan<T> subtrahend)
        where T : IBinaryInteger<T> => TensorPrimitives.Subtract(target, subtrahend, target);
}
