using System.Buffers.Binary;
using System.Numerics;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// An integer modulo p = 2²⁵⁶ − 2²²⁴ + 2¹⁹² + 2⁹⁶ − 1 in Montgomery form (value · 2²⁵⁶ mod p), four 64-bit limbs, least significant first,
/// always reduced. For public values only. Montgomery 1985, "Modular multiplication without trial division".
/// </summary>
internal readonly record struct P256FieldElement(ulong L0, ulong L1, ulong L2, ulong L3)
{
    private const ulong P0 = 0xFFFF_FFFF_FFFF_FFFF;
    private const ulong P1 = 0x0000_0000_FFFF_FFFF;
    private const ulong P2 = 0;
    private const ulong P3 = 0xFFFF_FFFF_0000_0001;

    // 2⁵¹² mod p: multiplying by it enters Montgomery form.
    private static readonly P256FieldElement _enter = SquareOfRadix();

    /// <summary>Whether 32 big-endian bytes are below p.</summary>
    public static bool IsReduced(ReadOnlySpan<byte> value) => !NotBelowPrime(Limbs(value));

    /// <summary>Reads 32 big-endian bytes below p.</summary>
    public static P256FieldElement FromBigEndian(ReadOnlySpan<byte> value) => Multiply(Limbs(value), _enter);

    /// <summary>Writes 32 big-endian bytes.</summary>
    public void ToBigEndian(Span<byte> destination)
    {
        P256FieldElement plain = Multiply(this, new P256FieldElement(1, 0, 0, 0));
        BinaryPrimitives.WriteUInt64BigEndian(destination, plain.L3);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], plain.L2);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], plain.L1);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], plain.L0);
    }

    /// <summary>a + b.</summary>
    public static P256FieldElement Add(in P256FieldElement a, in P256FieldElement b)
    {
        unchecked
        {
            UInt128 carry = (UInt128)a.L0 + b.L0;
            ulong r0 = (ulong)carry;
            carry = (carry >> 64) + a.L1 + b.L1;
            ulong r1 = (ulong)carry;
            carry = (carry >> 64) + a.L2 + b.L2;
            ulong r2 = (ulong)carry;
            carry = (carry >> 64) + a.L3 + b.L3;
            return Reduce(r0, r1, r2, (ulong)carry, (ulong)(carry >> 64));
        }
    }

    /// <summary>a − b.</summary>
    public static P256FieldElement Subtract(in P256FieldElement a, in P256FieldElement b)
    {
        P256FieldElement negative = b == default ? default : Difference(P0, P1, P2, P3, b, out _);
        return Add(a, negative);
    }

    /// <summary>a · b.</summary>
    public static P256FieldElement Multiply(in P256FieldElement a, in P256FieldElement b)
    {
        unchecked
        {
            Accumulator t = default;
            t.AddRow(a.L0, b);
            t.AddRow(a.L1, b);
            t.AddRow(a.L2, b);
            t.AddRow(a.L3, b);
            return Reduce(t.T0, t.T1, t.T2, t.T3, t.T4);
        }
    }

    /// <summary>
    /// This to the power (p + 1)/4 = 2²⁵⁴ − 2²²² + 2¹⁹⁰ + 2⁹⁴, which is a square root of this when one exists, because p ≡ 3 mod 4.
    /// </summary>
    public P256FieldElement SquareRootCandidate()
    {
        // x2, x4, …: this to the power 2^k − 1. Then ((2³² − 1) · 2³² + 1) · 2⁹⁶ + 1, all times 2⁹⁴.
        P256FieldElement power = this;
        for (int bits = 1; bits < 32; bits *= 2)
        {
            power = Multiply(Square(power, bits), power);
        }

        power = Multiply(Square(power, 32), this);
        power = Multiply(Square(power, 96), this);
        return Square(power, 94);
    }

    private static P256FieldElement Square(P256FieldElement value, int times)
    {
        for (int i = 0; i < times; i++)
        {
            value = Multiply(value, value);
        }

        return value;
    }

    // The value is below 2p: at most one subtraction.
    private static P256FieldElement Reduce(ulong r0, ulong r1, ulong r2, ulong r3, ulong overflow)
    {
        P256FieldElement lower = Difference(r0, r1, r2, r3, new P256FieldElement(P0, P1, P2, P3), out bool borrow);
        return overflow != 0 || !borrow ? lower : new P256FieldElement(r0, r1, r2, r3);
    }

    private static P256FieldElement Difference(ulong a0, ulong a1, ulong a2, ulong a3, in P256FieldElement b, out bool borrow)
    {
        unchecked
        {
            UInt128 part = (UInt128)a0 - b.L0;
            ulong r0 = (ulong)part;
            part = (UInt128)a1 - b.L1 - ((ulong)(part >> 64) & 1);
            ulong r1 = (ulong)part;
            part = (UInt128)a2 - b.L2 - ((ulong)(part >> 64) & 1);
            ulong r2 = (ulong)part;
            part = (UInt128)a3 - b.L3 - ((ulong)(part >> 64) & 1);
            borrow = (ulong)(part >> 64) != 0;
            return new P256FieldElement(r0, r1, r2, (ulong)part);
        }
    }

    private static P256FieldElement Limbs(ReadOnlySpan<byte> value) => new(
        BinaryPrimitives.ReadUInt64BigEndian(value[24..]),
        BinaryPrimitives.ReadUInt64BigEndian(value[16..]),
        BinaryPrimitives.ReadUInt64BigEndian(value[8..]),
        BinaryPrimitives.ReadUInt64BigEndian(value));

    private static bool NotBelowPrime(in P256FieldElement value)
    {
        Difference(value.L0, value.L1, value.L2, value.L3, new P256FieldElement(P0, P1, P2, P3), out bool borrow);
        return !borrow;
    }

    private static P256FieldElement SquareOfRadix()
    {
        BigInteger prime = BigInteger.Pow(2, 256) - BigInteger.Pow(2, 224) + BigInteger.Pow(2, 192) + BigInteger.Pow(2, 96) - 1;
        Span<byte> bytes = stackalloc byte[32];
        byte[] square = BigInteger.ModPow(2, 512, prime).ToByteArray(isUnsigned: true, isBigEndian: true);
        square.CopyTo(bytes[(32 - square.Length)..]);
        return Limbs(bytes);
    }

    /// <summary>Running sum of rows a[i] · b, reduced by one limb after each row; stays below 2p.</summary>
    private struct Accumulator
    {
        public ulong T0;
        public ulong T1;
        public ulong T2;
        public ulong T3;
        public ulong T4;

        public void AddRow(ulong a, in P256FieldElement b)
        {
            unchecked
            {
                UInt128 sum = ((UInt128)a * b.L0) + T0;
                ulong u0 = (ulong)sum;
                sum = ((UInt128)a * b.L1) + T1 + (ulong)(sum >> 64);
                ulong u1 = (ulong)sum;
                sum = ((UInt128)a * b.L2) + T2 + (ulong)(sum >> 64);
                ulong u2 = (ulong)sum;
                sum = ((UInt128)a * b.L3) + T3 + (ulong)(sum >> 64);
                ulong u3 = (ulong)sum;
                sum = (UInt128)T4 + (ulong)(sum >> 64);
                ulong u4 = (ulong)sum;
                ulong u5 = (ulong)(sum >> 64);

                // −p⁻¹ mod 2⁶⁴ is 1, so the multiple of p that clears the lowest limb is that limb itself.
                sum = ((UInt128)u0 * P0) + u0;
                sum = ((UInt128)u0 * P1) + u1 + (ulong)(sum >> 64);
                T0 = (ulong)sum;
                sum = (UInt128)u2 + (ulong)(sum >> 64);
                T1 = (ulong)sum;
                sum = ((UInt128)u0 * P3) + u3 + (ulong)(sum >> 64);
                T2 = (ulong)sum;
                sum = (UInt128)u4 + (ulong)(sum >> 64);
                T3 = (ulong)sum;
                T4 = u5 + (ulong)(sum >> 64);
            }
        }
    }
}
