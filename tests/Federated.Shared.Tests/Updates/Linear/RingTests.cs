using Federated.Shared.Randomness;
using Federated.Shared.Updates.Bits;
using Federated.Shared.Updates.Linear;

namespace Federated.Shared.Tests.Updates.Linear;

public sealed class RingTests
{
    public static TheoryData<int> Widths => [.. Enumerable.Range(FieldPacking.MinWidthBits, FieldPacking.MaxWidthBits - FieldPacking.MinWidthBits + 1)];

    /// <summary>
    /// Every width with cohorts from 2 to 1,000: values within the limit sum up exactly, in whatever order; others sum up exactly modulo
    /// 2^b.
    /// </summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void Sum_EveryCohort_IsExact(int width)
    {
        const int Fields = 24;
        SeededGenerator random = SeededGenerator.For((ulong)width, "ring");
        foreach (int clients in new[] { 2, 3, 5, 8, 20, 31, 64, 100, 255, 256, 500, 777, 1_000 })
        {
            int limit = RingWidth.Limit(width, clients);
            FieldSum within = new(Fields, width);
            FieldSum any = new(Fields, width);
            long[] expected = new long[Fields];
            ulong[] modular = new ulong[Fields];
            byte[] packed = new byte[FieldPacking.LengthBytes(Fields, width)];
            uint[] fields = new uint[Fields];
            for (int client = 0; client < clients; client++)
            {
                for (int i = 0; i < Fields; i++)
                {
                    // The first fields are at the limit for all clients: the worst case.
                    int value = i == 0 ? limit : i == 1 ? -limit : (int)((long)(random.NextDouble() * ((2L * limit) + 1)) - limit);
                    expected[i] += value;
                    fields[i] = unchecked((uint)value);
                }

                FieldPacking.Pack(fields, width, packed);
                within.AddPacked(packed);
                for (int i = 0; i < Fields; i++)
                {
                    fields[i] = (uint)(random.NextUInt64() >> 32);
                    modular[i] += fields[i];
                }

                any.Add(fields);
            }

            Assert.Equal(expected, within.Totals(Fields));
            Assert.Equal(modular.Select(sum => (long)(sum % (1UL << width))), any.Totals(0));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Limit_OneMore_WouldWrap(int width)
    {
        for (int clients = 2; clients <= 1_000; clients++)
        {
            long limit = RingWidth.Limit(width, clients);
            long half = 1L << (width - 1);
            Assert.True(limit * clients < half);
            Assert.True(width == 32 || (limit + 1) * clients >= half);
        }
    }

    [Fact]
    public void Scalar_SummedDigits_GiveTheExactSum()
    {
        SeededGenerator random = SeededGenerator.For(1, "scalar");
        foreach ((int width, int clients) in new[] { (8, 20), (12, 100), (3, 2), (32, 1_000), (11, 1_000) })
        {
            int count = RingScalar.FieldCount(24, width, clients);
            FieldSum sum = new(count, width);
            long expected = 0;
            for (int client = 0; client < clients; client++)
            {
                uint value = client == 0 ? (1u << 24) - 1 : (uint)random.NextInt(1 << 24);
                expected += value;
                uint[] fields = new uint[count];
                RingScalar.Write(value, width, clients, fields);
                sum.Add(fields);
            }

            Assert.Equal(expected, RingScalar.ReadSum(sum.Totals(0), width, clients));
        }
    }

    [Fact]
    public void Scalar_NoRoomForADigit_IsRefused() => Assert.Throws<ArgumentException>(() => RingScalar.FieldCount(24, 4, 16));

    [Theory]
    [InlineData(8, 20, 13)]
    [InlineData(8, 16, 12)]
    [InlineData(8, 1, 8)]
    [InlineData(2, 1_000, 12)]
    public void NoWrap_Bound_IsValueBitsPlusLogClients(int valueBits, int clients, int width) => Assert.Equal(width, RingWidth.NoWrap(valueBits, clients));

    [Fact]
    public void Probabilistic_Bound_IsTheFormula()
    {
        // 2^b = (2·4/0.01)·√(2·400/1024 + 20·0.01²/4) = 707.3: 10 bits.
        Assert.Equal(10, RingWidth.Probabilistic(1, 0.01, 1_024, 20));
        Assert.Equal(12, RingWidth.Probabilistic(1, 0.0025, 1_024, 20));
        Assert.True(RingWidth.Probabilistic(1, 0.01, 1_024, 20, noiseDeviation: 1) > 10);
    }

    [Fact]
    public void FinestStep_AnyWidth_IsTheLeastThatIsAccepted()
    {
        foreach (int clients in new[] { 2, 20, 100 })
        {
            for (int width = 11; width <= 20; width++)
            {
                double step = RingWidth.FinestStep(width, 2.5, 1_024, clients);
                Assert.Equal(width, RingWidth.Probabilistic(2.5, step, 1_024, clients));
                Assert.Equal(width + 1, RingWidth.Probabilistic(2.5, step * 0.99, 1_024, clients));
            }
        }
    }

    [Fact]
    public void FinestStep_TooManyClients_IsRefused() => Assert.Throws<ArgumentException>(() => RingWidth.FinestStep(4, 1, 1_024, 100));

    [Fact]
    public void Quantize_ManyRoundings_AreUnbiased()
    {
        const int Trials = 20_000;
        float[] values = [.. Vectors.Normal(56, 3), 0.25f, -0.25f, 1f, 0f, -7.5f, 1e-3f, 100.1f, -0.999f];
        const float Step = 0.5f;
        LaneGenerator dither = LaneGenerator.For(1, "dither");
        uint[] fields = new uint[values.Length];
        double[] sum = new double[values.Length];
        for (int trial = 0; trial < Trials; trial++)
        {
            Assert.Equal(0, StochasticQuantizer.Quantize(values, Step, 1_000, dither, fields));
            for (int i = 0; i < values.Length; i++)
            {
                int level = unchecked((int)fields[i]);
                Assert.InRange(level - (values[i] / Step), -1, 1);
                sum[i] += level * Step;
            }
        }

        for (int i = 0; i < values.Length; i++)
        {
            // A rounding between neighbours has at most half a step of deviation; five standard errors, 4e-5 for all values.
            Assert.InRange(sum[i] / Trials, values[i] - (5 * Step / 2 / Math.Sqrt(Trials)), values[i] + (5 * Step / 2 / Math.Sqrt(Trials)));
        }
    }

    [Fact]
    public void Quantize_AnyValues_IsTheScalarTwin()
    {
        float[] values = Vectors.HeavyTailed(4_096, 8);
        const float Step = 0.013f;
        const int Limit = 40;
        uint[] fields = new uint[values.Length];
        int limited = StochasticQuantizer.Quantize(values, Step, Limit, LaneGenerator.For(4, "dither"), fields);

        LaneGenerator dither = LaneGenerator.For(4, "dither");
        int expectedLimited = 0;
        for (int i = 0; i < values.Length; i += LaneGenerator.Lanes)
        {
            System.Runtime.Intrinsics.Vector256<float> unit = dither.NextUnit();
            for (int lane = 0; lane < LaneGenerator.Lanes; lane++)
            {
                float ratio = values[i + lane] / Step;
                float floor = MathF.Floor(ratio);
                int level = (int)floor + (unit[lane] < ratio - floor ? 1 : 0);
                int kept = Math.Clamp(level, -Limit, Limit);
                expectedLimited += level == kept ? 0 : 1;
                Assert.Equal(kept, unchecked((int)fields[i + lane]));
            }
        }

        Assert.Equal(expectedLimited, limited);
        Assert.NotEqual(0, limited);
    }

    [Fact]
    public void Quantize_BeyondEverything_IsLimitedAndCounted()
    {
        uint[] fields = new uint[8];
        float[] values = [1e30f, -1e30f, 3e9f, -3e9f, 0, 0, 0, 0];
        Assert.Equal(4, StochasticQuantizer.Quantize(values, 1, 1 << 30, LaneGenerator.For(1, "dither"), fields));
        Assert.Equal([1 << 30, -(1 << 30), 1 << 30, -(1 << 30)], fields[..4].Select(field => unchecked((int)field)));
    }
}
