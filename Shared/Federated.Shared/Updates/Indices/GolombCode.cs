using Federated.Shared.Protocol;
using Federated.Shared.Updates.Bits;

namespace Federated.Shared.Updates.Indices;

/// <summary>
/// Ascending indices as gaps in Golomb's code (Golomb 1966): gap g (indices passed over) is written as ⌊g/m⌋ zeros and a one, then g mod m
/// in ⌊log₂ m⌋ or ⌈log₂ m⌉ bits (truncated binary). For k of P indices m = ⌈ln(2 − p)/−ln(1 − p)⌉ with p = k/P, the best divisor for
/// geometric gaps (Gallager and Van Voorhis 1975). Where m is a power of two this is the Golomb–Rice code of STC (arXiv 1903.02891, section
/// V); other divisors are why it stays within 2 % of log₂ C(P, k) for densities up to 1/4.
/// </summary>
public readonly struct GolombCode
{
    private const string Kind = "index code";

    private readonly int _parameterCount;
    private readonly int _count;
    private readonly int _divisor;
    private readonly int _remainderBits;
    private readonly int _cutoff;

    private GolombCode(int parameterCount, int count, int divisor)
    {
        _parameterCount = parameterCount;
        _count = count;
        _divisor = divisor;
        _remainderBits = divisor == 1 ? 0 : 32 - System.Numerics.BitOperations.LeadingZeroCount((uint)divisor - 1);
        _cutoff = (1 << _remainderBits) - divisor;
    }

    /// <summary>The divisor m.</summary>
    public int Divisor => _divisor;

    /// <summary>
    /// Most bytes that such an index set can take: all gaps together pass over P − k indices. A reader refuses more before it looks at
    /// them.
    /// </summary>
    public long MaxLengthBytes => (((_parameterCount - _count) / _divisor) + ((1L + _remainderBits) * _count) + 7) / 8;

    /// <summary>The code for k of P indices.</summary>
    /// <exception cref="ArgumentOutOfRangeException">k is not 0 to P.</exception>
    public static GolombCode For(int parameterCount, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, parameterCount);
        double density = Math.Max(count, 1) / (double)parameterCount;
        double divisor = density >= 1 ? 1 : Math.Ceiling(Math.Log(2 - density) / -Math.Log(1 - density));
        return new GolombCode(parameterCount, count, (int)Math.Clamp(divisor, 1, 1 << 30));
    }

    /// <summary>Encodes k ascending indices.</summary>
    /// <param name="indices">[k].</param>
    /// <param name="destination">At least <see cref="MaxLengthBytes"/> plus 4.</param>
    /// <returns>Bytes written; the last one is filled with zeros.</returns>
    public int Encode(ReadOnlySpan<int> indices, Span<byte> destination)
    {
        BitWriter writer = new(destination);
        int previous = -1;
        foreach (int index in indices)
        {
            int gap = index - previous - 1;
            previous = index;
            int quotient = gap / _divisor;
            int remainder = gap - (quotient * _divisor);
            writer.WriteUnary(quotient);
            if (_remainderBits == 0)
            {
                continue;
            }

            if (remainder < _cutoff)
            {
                writer.Write((uint)remainder, _remainderBits - 1);
            }
            else
            {
                // The upper bits tell the reader whether another one follows, so they come first.
                uint shifted = (uint)(remainder + _cutoff);
                writer.Write((shifted >> 1) | ((shifted & 1) << (_remainderBits - 1)), _remainderBits);
            }
        }

        return writer.Finish();
    }

    /// <summary>A reader of bytes that <see cref="Encode"/> wrote, or that claim so.</summary>
    internal Reader Read(ReadOnlySpan<byte> bytes) => new(this, bytes);

    /// <summary>Reads index after index.</summary>
    internal ref struct Reader(GolombCode code, ReadOnlySpan<byte> bytes)
    {
        private readonly GolombCode _code = code;
        private BitReader _bits = new(bytes, Kind);
        private int _previous = -1;

        /// <summary>Reads the next indices; not more than k in all.</summary>
        /// <exception cref="ProtocolViolationException">The bytes end, or an index is not below P.</exception>
        public void Next(scoped Span<int> indices)
        {
            for (int i = 0; i < indices.Length; i++)
            {
                long index = _previous + 1L + ((long)_bits.ReadUnary() * _code._divisor) + Remainder();
                if (index >= _code._parameterCount)
                {
                    throw DocumentReading.Malformed(Kind, $"it holds index {index}, there are {_code._parameterCount} parameters");
                }

                _previous = (int)index;
                indices[i] = _previous;
            }
        }

        /// <summary>Demands that the bytes end here.</summary>
        /// <exception cref="ProtocolViolationException">They do not.</exception>
        public readonly void Finish() => _bits.Finish();

        private int Remainder()
        {
            if (_code._remainderBits == 0)
            {
                return 0;
            }

            int upper = (int)_bits.Read(_code._remainderBits - 1);
            return upper < _code._cutoff ? upper : (2 * upper) + (int)_bits.Read(1) - _code._cutoff;
        }
    }
}
