using System.Numerics;
using System.Runtime.Intrinsics;
using Federated.Shared.Randomness;

namespace Federated.Shared.Tests.Randomness;

public sealed class LaneGeneratorTests
{
    [Fact]
    public void Twin_PublishedState_GivesThePublishedNumbers()
    {
        // The first numbers of the reference implementation from the state 1, 2, 3, 4.
        uint[] state = [1, 2, 3, 4];
        Assert.Equal([641u, 1573767u, 3222811527u, 3517856514u, 836907274u], Enumerable.Range(0, 5).Select(_ => Twin(state)));
    }

    [Fact]
    public void NextBits_EveryLane_IsItsOwnScalarStream()
    {
        SeededGenerator seed = SeededGenerator.For(7, "test");
        uint[][] states = new uint[LaneGenerator.Lanes][];
        for (int lane = 0; lane < states.Length; lane++)
        {
            ulong low = seed.NextUInt64();
            ulong high = seed.NextUInt64();
            states[lane] = unchecked([(uint)low, (uint)(low >> 32), (uint)high, (uint)(high >> 32) | 1]);
        }

        LaneGenerator lanes = LaneGenerator.For(7, "test");
        for (int step = 0; step < 1_000; step++)
        {
            Vector256<uint> bits = lanes.NextBits();
            for (int lane = 0; lane < states.Length; lane++)
            {
                Assert.Equal(Twin(states[lane]), bits[lane]);
            }
        }
    }

    [Fact]
    public void NextUnit_ManyDraws_AreUniform()
    {
        LaneGenerator lanes = LaneGenerator.For(1, "test");
        int[] counts = new int[64];
        const int Steps = 100_000;
        for (int step = 0; step < Steps; step++)
        {
            Vector256<float> unit = lanes.NextUnit();
            for (int lane = 0; lane < LaneGenerator.Lanes; lane++)
            {
                counts[(int)(unit[lane] * 64)]++;
            }
        }

        // χ² with 63 degrees of freedom is above 120 with probability 2e-5.
        double expected = Steps * LaneGenerator.Lanes / 64.0;
        Assert.InRange(counts.Sum(count => (count - expected) * (count - expected) / expected), 10, 120);
    }

    [Fact]
    public void NextSigns_ManyDraws_AreBalancedAndNothingElse()
    {
        LaneGenerator lanes = LaneGenerator.For(2, "test");
        int negative = 0;
        for (int step = 0; step < 100_000; step++)
        {
            Vector256<uint> signs = lanes.NextSigns();
            Assert.Equal(Vector256<uint>.Zero, signs & Vector256.Create(0x7FFF_FFFFu));
            negative += BitOperations.PopCount(signs.ExtractMostSignificantBits());
        }

        // Five standard deviations of 800,000 fair coins.
        Assert.InRange(negative, 400_000 - 2_236, 400_000 + 2_236);
    }

    private static uint Twin(uint[] s)
    {
        unchecked
        {
            uint result = BitOperations.RotateLeft(s[0] + s[3], 7) + s[0];
            uint t = s[1] << 9;
            s[2] ^= s[0];
            s[3] ^= s[1];
            s[1] ^= s[2];
            s[0] ^= s[3];
            s[2] ^= t;
            s[3] = BitOperations.RotateLeft(s[3], 11);
            return result;
        }
    }
}
