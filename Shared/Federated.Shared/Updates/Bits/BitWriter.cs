using System.Buffers.Binary;

namespace Federated.Shared.Updates.Bits;

/// <summary>
/// Writes bits into a caller's buffer, the first bit into the lowest bit of the first byte. The buffer is large enough by contract.
/// </summary>
internal ref struct BitWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;
    private ulong _pending;
    private int _pendingBits;
    private int _written;

    /// <summary>Writes the lowest <paramref name="bits"/> bits of a value that has no others; 0 to 32 bits.</summary>
    public void Write(uint value, int bits)
    {
        unchecked
        {
            _pending |= (ulong)value << _pendingBits;
            _pendingBits += bits;
            if (_pendingBits >= 32)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(_destination[_written..], (uint)_pending);
                _pending >>= 32;
                _pendingBits -= 32;
                _written += sizeof(uint);
            }
        }
    }

    /// <summary>Writes so many zeros and a one.</summary>
    public void WriteUnary(int zeros)
    {
        for (; zeros >= 31; zeros -= 31)
        {
            Write(0, 31);
        }

        Write(1u << zeros, zeros + 1);
    }

    /// <summary>Fills the last byte with zeros and gives the count of bytes written.</summary>
    public int Finish()
    {
        for (; _pendingBits > 0; _pendingBits -= 8)
        {
            _destination[_written++] = (byte)(_pending & byte.MaxValue);
            _pending >>= 8;
        }

        _pendingBits = 0;
        return _written;
    }
}
