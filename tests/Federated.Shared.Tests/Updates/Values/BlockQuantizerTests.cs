using CsCheck;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Values;

namespace Federated.Shared.Tests.Updates.Values;

public sealed class BlockQuantizerTests
{
    public static TheoryData<int> Widths => [2, 4, 8];

    [Theory]
    [MemberData(nameof(Widths))]
    public void EncodeNearest_AnyVector_IsTheScalarTwin(int width) => Gen.Select(Gen.Int[1, 700], Gen.ULong).Sample((length, seed) =>
    {
        float[] values = Vectors.HeavyTailed(length, seed);
        float[] transmitted = new float[length];
        BlockQuantizer.EncodeNearest(values, width, new byte[BlockQuantizer.LengthBytes(length, width)], transmitted);
        return transmitted.SequenceEqual(Twin(values, width));
    }, iter: 300);

    [Theory]
    [MemberData(nameof(Widths))]
    public void DecodeBlock_Encoded_IsWhatWasTransmitted(int width) => Gen.Select(Gen.Int[1, 700], Gen.ULong, Gen.Bool).Sample((length, seed, nearest) =>
    {
        float[] values = Vectors.HeavyTailed(length, seed);
        float[] transmitted = new float[length];
        byte[] bytes = new byte[BlockQuantizer.LengthBytes(length, width)];
        if (nearest)
        {
            BlockQuantizer.EncodeNearest(values, width, bytes, transmitted);
        }
        else
        {
            BlockQuantizer.EncodeStochastic(values, width, LaneGenerator.For(seed, "dither"), bytes, transmitted);
        }

        float[] read = new float[length];
        for (int first = 0; first < length; first += BlockQuantizer.BlockLength)
        {
            BlockQuantizer.DecodeBlock(bytes, width, first, read.AsSpan(first, Math.Min(BlockQuantizer.BlockLength, length - first)));
        }

        return read.SequenceEqual(transmitted);
    }, iter: 300);

    /// <summary>Sterbenz's lemma at work: what is left and what was sent give the value back, bit for bit.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void EncodeNearest_ResidualAndTransmitted_AreTheInputExactly(int width) => Gen.Select(Gen.Int[1, 700], Gen.ULong).Sample((length, seed) =>
    {
        float[] values = Vectors.HeavyTailed(length, seed);
        float[] transmitted = new float[length];
        BlockQuantizer.EncodeNearest(values, width, new byte[BlockQuantizer.LengthBytes(length, width)], transmitted);
        return values.Zip(transmitted).All(pair => pair.First - pair.Second + pair.Second == pair.First
            && (double)pair.First - pair.Second == pair.First - pair.Second);
    });

    /// <summary>Mean of 20,000 roundings: five standard errors a value, a false alarm of 2e-4 for all.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void EncodeStochastic_ManyRoundings_AreUnbiased(int width)
    {
        const int Length = 300;
        const int Trials = 20_000;
        float[] values = Vectors.Normal(Length, 5);
        float[] transmitted = new float[Length];
        byte[] bytes = new byte[BlockQuantizer.LengthBytes(Length, width)];
        LaneGenerator dither = LaneGenerator.For(1, "dither");
        double[] sum = new double[Length];
        double[] squares = new double[Length];
        for (int trial = 0; trial < Trials; trial++)
        {
            BlockQuantizer.EncodeStochastic(values, width, dither, bytes, transmitted);
            for (int i = 0; i < Length; i++)
            {
                sum[i] += transmitted[i];
                squares[i] += (double)transmitted[i] * transmitted[i];
            }
        }

        for (int i = 0; i < Length; i++)
        {
            double mean = sum[i] / Trials;
            double error = Math.Sqrt(Math.Max(0, (squares[i] / Trials) - (mean * mean)) / Trials);
            Assert.InRange(mean, values[i] - (5 * error) - 1e-5, values[i] + (5 * error) + 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void EncodeStochastic_LargestMagnitude_StaysAnInteger(int width)
    {
        float[] values = [.. Enumerable.Range(0, 256).Select(i => i % 2 == 0 ? 3.3333333f : -3.3333333f)];
        float[] transmitted = new float[256];
        BlockQuantizer.EncodeStochastic(values, width, LaneGenerator.For(1, "dither"), new byte[BlockQuantizer.LengthBytes(256, width)], transmitted);
        Assert.All(transmitted, value => Assert.InRange(MathF.Abs(value), 0, 3.3333333f * 1.01f));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(2e30f)]
    public void Encode_ImpossibleValue_IsRefused(float value) => Assert.Throws<ArgumentException>(
        () => BlockQuantizer.EncodeNearest([1f, value], 8, new byte[4], new float[2]));

    [Fact]
    public void Sign_ResidualAndTransmitted_AreTheInputExactly() => Gen.Select(Gen.Int[1, 700], Gen.ULong).Sample((length, seed) =>
    {
        float[] values = [.. Vectors.Normal(length, seed).Where(value => MathF.Abs(value) > 1e-3)];
        float[] transmitted = new float[values.Length];
        SignQuantizer.Encode(values, new byte[SignQuantizer.LengthBytes(values.Length)], transmitted);
        return values.Zip(transmitted).All(pair => pair.First - pair.Second + pair.Second == pair.First);
    });

    [Fact]
    public void Sign_Decoded_IsWhatWasTransmitted() => Gen.Select(Gen.Int[1, 700], Gen.ULong).Sample((length, seed) =>
    {
        float[] values = Vectors.Normal(length, seed);
        float[] transmitted = new float[length];
        byte[] bytes = new byte[SignQuantizer.LengthBytes(length)];
        SignQuantizer.Encode(values, bytes, transmitted);
        float[] read = new float[length];
        SignQuantizer.Decode(bytes, 0, read);
        return read.SequenceEqual(transmitted) && transmitted.Zip(values).All(pair => MathF.Sign(pair.First) == MathF.Sign(pair.Second));
    });

    private static float[] Twin(float[] values, int width)
    {
        int levels = (1 << (width - 1)) - 1;
        float[] transmitted = new float[values.Length];
        foreach (int[] block in Enumerable.Range(0, values.Length).Chunk(BlockQuantizer.BlockLength))
        {
            float scale = block.Max(i => MathF.Abs(values[i])) / levels;
            uint bits = BitConverter.SingleToUInt32Bits(scale);
            scale = BitConverter.UInt32BitsToSingle((bits & 0xFFFF) == 0 ? bits : (bits & 0xFFFF_0000) + 0x1_0000);
            foreach (int i in block)
            {
                transmitted[i] = scale == 0 ? 0 : MathF.Round(values[i] / scale) * scale;
            }
        }

        return transmitted;
    }
}
