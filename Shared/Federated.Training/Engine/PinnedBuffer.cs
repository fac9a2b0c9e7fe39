using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Federated.Training.Engine;

/// <summary>
/// Zeroed memory at an address that never changes, so that the engine can keep pointing at it. It begins on a 64-byte boundary: vector
/// kernels peel unaligned ends, so equal alignment is part of two workspaces giving equal bits, and it is faster. Freed by the
/// garbage collector: whoever lends the address out keeps the buffer reachable.
/// </summary>
internal sealed class PinnedBuffer<T>
    where T : unmanaged
{
    private const int AlignmentBytes = 64;

    private readonly T[] _array;
    private readonly int _first;

    public PinnedBuffer(int length)
    {
        Length = length;
        int size = Unsafe.SizeOf<T>();
        _array = GC.AllocateArray<T>(checked(length + (AlignmentBytes / size)), pinned: true);
        nint start = Marshal.UnsafeAddrOfPinnedArrayElement(_array, 0);
        _first = (int)(((start + AlignmentBytes - 1) & -AlignmentBytes) - start) / size;
        Address = start + (_first * size);
    }

    public int Length { get; }

    public nint Address { get; }

    public Span<T> Span => _array.AsSpan(_first, Length);

    /// <summary>Address of the element at <paramref name="index"/>.</summary>
    public nint AddressOf(int index) => Address + ((nint)index * Unsafe.SizeOf<T>());
}
