using System.Buffers.Binary;
using System.Numerics;
using Federated.Shared.Protocol;

namespace Federated.Shared.Updates.Bits;

/// <summary>
/// Reads what <see cref="BitWriter"/> wrote, from untrusted bytes. Past the end there are zeros; <see cref="Finish"/> tells whether anybody
/// read them, and no loop in here goes on for longer than the bytes do.
/// </summary>
internal ref struct BitReader(ReadOnlySpan<byte> bytes, string kind)
{
    /// <summary>Bits that <see cref="Peek"/> holds at least: 64 less the 7 that may precede them in their byte.</summary>
    private const int PeekBits = 57;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly string _kind = kind;
    private long _position;

    /// <summary>Reads 0 to 32 bits.</summary>
    public uint Read(int bits)
    {
        uint value = (uint)(Peek() & ((1UL << bits) - 1));
        _position += bits;
        return value;
    }

    /// <summary>Counts zeros up to the next one and passes over it.</summary>
    /// <exception cref="ProtocolViolationException">The bytes end before it.</exception>
    public int ReadUnary()
    {
        int zeros = 0;
        ulong next = Peek();
        while ((next & ((1UL << PeekBits) - 1)) == 0)
        {
            zeros += PeekBits;
            _position += PeekBits;
            if (_position >= (long)_bytes.Length * 8)
            {
                throw DocumentReading.Malformed(_kind, "its bits end within a code");
            }

            next = Peek();
        }

        int more = BitOperations.TrailingZeroCount(next);
        _position += more + 1;
        return zeros + more;
    }

    /// <summary>Demands that all bytes and no more were read, and that the last byte is filled with zeros.</summary>
    /// <exception cref="ProtocolViolationException">They were not.</exception>
    public readonly void Finish()
    {
        long bits = (long)_bytes.Length * 8;
        if (_position > bits || bits - _position >= 8 || Peek() != 0)
        {
            throw DocumentReading.Malformed(_kind, $"its codes take {_position} bits, it has {bits}");
        }
    }

    private readonly ulong Peek()
    {
        long first = _position >> 3;
        int rest = (int)(_position & 7);
        if (first + sizeof(ulong) <= _bytes.Length)
        {
            return BinaryPrimitives.ReadUInt64LittleEndian(_bytes[(int)first..]) >> rest;
        }

        ulong value = 0;
        for (int i = 0; i < sizeof(ulong) && first + i < _bytes.Length; i++)
        {
            value |= (ulong)_bytes[(int)first + i] << (8 * i);
        }

        return value >> rest;
    }
}
