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
                TensorPrimitives.Add(target, addend, target);
                break;
            case 2:
                TensorPrimitives.Add(MemoryMarshal.Cast<byte, ushort>(target), MemoryMarshal.Cast<byte, ushort>(addend), MemoryMarshal.Cast<byte, ushort>(target));
                break;
            default:
                TensorPrimitives.Add(MemoryMarshal.Cast<byte, uint>(target), MemoryMarshal.Cast<byte, uint>(addend), MemoryMarshal.Cast<byte, uint>(target));
                break;
        }
    }

    /// <summary>target −= subtrahend, lane by lane.</summary>
    public static void Subtract(Span<byte> target, ReadOnlySpan<byte> subtrahend, int laneBytes)
    {
        switch (laneBytes)
        {
            case 1:
                TensorPrimitives.Subtract(target, subtrahend, target);
                break;
            case 2:
                TensorPrimitives.Subtract(MemoryMarshal.Cast<byte, ushort>(target), MemoryMarshal.Cast<byte, ushort>(subtrahend), MemoryMarshal.Cast<byte, ushort>(target));
                break;
            default:
                TensorPrimitives.Subtract(MemoryMarshal.Cast<byte, uint>(target), MemoryMarshal.Cast<byte, uint>(subtrahend), MemoryMarshal.Cast<byte, uint>(target));
                break;
        }
    }
}
