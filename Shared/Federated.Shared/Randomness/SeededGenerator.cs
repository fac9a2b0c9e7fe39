using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Federated.Shared.Randomness;

/// <summary>
/// A repeatable generator for everything that is not secret: selection, shuffles, initial weights, simulated faults. The
/// stream is xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4), 2021)
/// seeded through SHA-256, so it is the same on every platform and runtime. Not thread-safe. Never use it for keys or masks.
/// </summary>
public sealed class SeededGenerator
{
    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    private SeededGenerator(ReadOnlySpan<byte> state)
    {
        _s0 = BinaryPrimitives.ReadUInt64LittleEndian(state);
        _s1 = BinaryPrimitives.ReadUInt64LittleEndian(state[8..]);
        _s2 = BinaryPrimitives.ReadUInt64LittleEndian(state[16..]);
        _s3 = BinaryPrimitives.ReadUInt64LittleEndian(state[24..]) | 1;
    }

    /// <summary>
    /// The generator for one purpose: different purposes, rounds or devices under one seed give unrelated streams.
    /// </summary>
    /// <param name="seed">The seed a person states.</param>
    /// <param name="purpose">What it is for, for example <c>selection</c>.</param>
    /// <param name="round">The round, or 0.</param>
    /// <param name="subject">A device or tensor name, or empty.</param>
    public static SeededGenerator For(ulong seed, string purpose, ulong round = 0, string subject = "")
    {
        byte[] text = Encoding.UTF8.GetBytes($"{seed:x16}/{purpose}/{round:x16}/{subject}");
        return new SeededGenerator(SHA256.HashData(text));
    }

    /// <summary>64 uniform bits.</summary>
    public ulong NextUInt64()
    {
        unchecked
        {
            ulong result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
            ulong t = _s1 << 17;
            _s2 ^= _s0;
            _s3 ^= _s1;
            _s1 ^= _s2;
            _s0 ^= _s3;
            _s2 ^= t;
            _s3 = BitOperations.RotateLeft(_s3, 45);
            return result;
        }
    }

    /// <summary>Uniform in [0, bound), without bias (Lemire 2019, arXiv 1805.10941).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        unchecked
        {
            ulong range = (ulong)bound;
            ulong high = Math.BigMul(NextUInt64(), range, out ulong low);
            if (low < range)
            {
                ulong floor = (0UL - range) % range;
                while (low < floor)
                {
                    high = Math.BigMul(NextUInt64(), range, out low);
                }
            }

            return (int)high;
        }
    }

    /// <summary>Uniform in [0, 1) with 53 bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Standard normal (Box and Muller 1958).</summary>
    public double NextGaussian()
    {
        double radius = Math.Sqrt(-2.0 * Math.Log(1.0 - NextDouble()));
        return radius * Math.Cos(2.0 * Math.PI * NextDouble());
    }

    /// <summary>Permutes uniformly (Fisher and Yates, Durstenfeld's form).</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int j = NextInt(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }
}
