using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Federated.Shared.Updates.Bits;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// The sum of clients' fields modulo 2^b: exact and independent of their order. Kept modulo 2^32, in whose lowest b bits it is the same.
/// Not thread-safe.
/// </summary>
public sealed class RingSum
{
    private readonly uint[] _sums;

    /// <summary>An empty sum.</summary>
    /// <param name="fieldCount">Fields a client sends.</param>
    /// <param name="widthBits">b, 2 to 32.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is not positive or the width not 2 to 32.</exception>
    public RingSum(int fieldCount, int widthBits)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fieldCount);
        ArgumentOutOfRangeException.ThrowIfLessThan(widthBits, FieldPacking.MinWidthBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(widthBits, FieldPacking.MaxWidthBits);
        _sums = new uint[fieldCount];
        WidthBits = widthBits;
    }

    /// <summary>b.</summary>
    public int WidthBits { get; }

    /// <summary>Clients added.</summary>
    public int Count { get; private set; }

    /// <summary>The sums; only the lowest b bits mean something.</summary>
    public ReadOnlySpan<uint> Sums => _sums;

    /// <summary>Adds a client's packed fields.</summary>
    /// <exception cref="ArgumentException">The length is another.</exception>
    public void AddPacked(ReadOnlySpan<byte> packed)
    {
        FieldPacking.AddTo(packed, WidthBits, _sums);
        Count++;
    }

    /// <summary>Adds a client's fields, or another group's sums with <paramref name="clients"/> of them.</summary>
    /// <exception cref="ArgumentException">The length is another.</exception>
    public void Add(ReadOnlySpan<uint> fields, int clients = 1)
    {
        if (fields.Length != _sums.Length)
        {
            throw new ArgumentException($"There are {fields.Length} fields, the sum has {_sums.Length}.", nameof(fields));
        }

        ref uint sum = ref MemoryMarshal.GetArrayDataReference(_sums);
        ref uint field = ref MemoryMarshal.GetReference(fields);
        int i = 0;
        for (; i <= fields.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            (Vector256.LoadUnsafe(ref sum, (nuint)i) + Vector256.LoadUnsafe(ref field, (nuint)i)).StoreUnsafe(ref sum, (nuint)i);
        }

        for (; i < fields.Length; i++)
        {
            _sums[i] = unchecked(_sums[i] + fields[i]);
        }

        Count += clients;
    }
}
