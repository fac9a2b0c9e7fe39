using System.Numerics;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Linear;

namespace Federated.Shared.Tests.Updates.Linear;

public sealed class HadamardRotationTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(512)]
    public void Rotate_AnyBlock_IsTheMatrixOfSigns(int block)
    {
        float[] vector = Vectors.Normal(3 * block, 1);
        double[] expected = Twin(vector, block, seed: 9);
        HadamardRotation.Rotate(vector, block, 9);
        for (int i = 0; i < vector.Length; i++)
        {
            Assert.Equal(expected[i], vector[i], 1e-5);
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(256)]
    [InlineData(65_536)]
    public void Invert_Rotated_IsTheVectorAgain(int block)
    {
        float[] vector = Vectors.Normal(2 * block, 2);
        float[] turned = [.. vector];
        HadamardRotation.Rotate(turned, block, 3);
        Assert.Equal(L2Clip.Norm(vector), L2Clip.Norm(turned), 1e-4 * L2Clip.Norm(vector));
        HadamardRotation.Invert(turned, block, 3);
        Assert.All(turned.Zip(vector), pair => Assert.Equal(pair.Second, pair.First, 1e-5f));
    }

    [Fact]
    public void Rotate_OneLargeCoordinate_IsSpreadEvenly()
    {
        float[] vector = new float[1_024];
        vector[77] = 32;
        HadamardRotation.Rotate(vector, 1_024, 5);
        Assert.All(vector, value => Assert.Equal(1, MathF.Abs(value), 1e-5f));
    }

    [Theory]
    [InlineData(46_080, 1_024)]
    [InlineData(5, 8)]
    [InlineData(1_000_000, 4_096)]
    [InlineData(100, 8)]
    public void BlockFor_Count_PadsLittle(int count, int block)
    {
        Assert.Equal(block, HadamardRotation.BlockFor(count));
        Assert.InRange(HadamardRotation.PaddedLength(count, block) - count, 0, Math.Max(7, count / 64));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(24)]
    [InlineData(131_072)]
    public void Rotate_ImpossibleBlock_IsRefused(int block) => Assert.Throws<ArgumentOutOfRangeException>(() => HadamardRotation.Rotate(new float[24], block, 1));

    [Fact]
    public void Rotate_NotWholeBlocks_IsRefused() => Assert.Throws<ArgumentException>(() => HadamardRotation.Rotate(new float[24], 16, 1));

    [Fact]
    public void Clip_LongVector_HasTheNormAfterwards()
    {
        float[] vector = Vectors.Normal(1_003, 1);
        double norm = Math.Sqrt(vector.Sum(value => (double)value * value));
        (double before, double factor) = L2Clip.Apply(vector, 2);
        Assert.Equal(norm, before, 1e-9 * norm);
        Assert.Equal(2 / norm, factor, 1e-12);
        Assert.Equal(2, L2Clip.Norm(vector), 1e-6);
    }

    [Fact]
    public void Clip_ShortVector_IsLeftAlone()
    {
        float[] vector = [3f, -4f];
        Assert.Equal((5.0, 1.0), L2Clip.Apply(vector, 5));
        Assert.Equal([3f, -4f], vector);
    }

    private static double[] Twin(float[] vector, int block, ulong seed)
    {
        LaneGenerator lanes = LaneGenerator.For(seed, "rotation-signs");
        double[] signed = new double[vector.Length];
        for (int i = 0; i < vector.Length; i += LaneGenerator.Lanes)
        {
            System.Runtime.Intrinsics.Vector256<uint> signs = lanes.NextSigns();
            for (int lane = 0; lane < LaneGenerator.Lanes; lane++)
            {
                signed[i + lane] = signs[lane] == 0 ? vector[i + lane] : -vector[i + lane];
            }
        }

        double[] turned = new double[vector.Length];
        for (int i = 0; i < vector.Length; i++)
        {
            int start = i / block * block;
            for (int j = 0; j < block; j++)
            {
                // Entry (r, c) of Sylvester's matrix is −1 to the number of common one bits.
                double entry = BitOperations.PopCount((uint)((i - start) & j)) % 2 == 0 ? 1 : -1;
                turned[i] += entry * signed[start + j] / Math.Sqrt(block);
            }
        }

        return turned;
    }
}
