using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Federated.Shared.Randomness;

/// <summary>
/// A repeatable generator for kernels: eight streams of xoshiro128++ (Blackman and Vigna, "Scrambled linear pseudorandom number
/// generators", ACM TOMS 47(4), 2021) side by side, so that one step gives eight numbers. The width is fixed: the numbers are the same
/// on every processor. Seeded from a <see cref="SeededGenerator"/>: lane by lane, two draws of 64 bits each. Not thread-safe. Never use it
/// for keys or masks.
/// </summary>
public sealed class LaneGenerator
{
    /// <summary>Numbers a step gives.</summary>
    public const int Lanes = 8;

    private const float UnitStep = 1f / (1 << 24);

    private Vector256<uint> _s0;
    private Vector256<uint> _s1;
    private Vector256<uint> _s2;
    private Vector256<uint> _s3;

    /// <summary>Takes sixteen draws of <paramref name="seed"/> as the state.</summary>
    public LaneGenerator(SeededGenerator seed)
    {
        ArgumentNullException.ThrowIfNull(seed);
        Span<uint> state = stackalloc uint[4 * Lanes];
        for (int lane = 0; lane < Lanes; lane++)
        {
            ulong low = seed.NextUInt64();
            ulong high = seed.NextUInt64();
            state[lane] = (uint)(low & uint.MaxValue);
            state[Lanes + lane] = (uint)(low >> 32);
            state[(2 * Lanes) + lane] = (uint)(high & uint.MaxValue);

            // A state of zeros would stay there.
            state[(3 * Lanes) + lane] = (uint)(high >> 32) | 1;
        }

        _s0 = Vector256.Create<uint>(state);
        _s1 = Vector256.Create<uint>(state[Lanes..]);
        _s2 = Vector256.Create<uint>(state[(2 * Lanes)..]);
        _s3 = Vector256.Create<uint>(state[(3 * Lanes)..]);
    }

    /// <summary>The generator for one purpose, as <see cref="SeededGenerator.For"/> tells purposes apart.</summary>
    public static LaneGenerator For(ulong seed, string purpose, ulong round = 0, string subject = "") =>
        new(SeededGenerator.For(seed, purpose, round, subject));

    /// <summary>One step: 32 uniform bits in each of eight lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<uint> NextBits()
    {
        Vector256<uint> sum = _s0 + _s3;
        Vector256<uint> result = ((sum << 7) | (sum >>> 25)) + _s0;
        Vector256<uint> t = _s1 << 9;
        Vector256<uint> s2 = _s2 ^ _s0;
        Vector256<uint> s3 = _s3 ^ _s1;
        _s1 ^= s2;
        _s0 ^= s3;
        _s2 = s2 ^ t;
        _s3 = (s3 << 11) | (s3 >>> 21);
        return result;
    }

    /// <summary>One step: uniform in [0, 1) with 24 bits, in each of eight lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> NextUnit() => Vector256.ConvertToSingle((NextBits() >>> 8).AsInt32()) * UnitStep;

    /// <summary>One step: a sign bit, 0 or 2^31, in each of eight lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<uint> NextSigns() => NextBits() & Vector256.Create(0x8000_0000u);
}
