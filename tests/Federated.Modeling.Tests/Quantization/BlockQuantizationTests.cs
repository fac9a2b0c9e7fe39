using CsCheck;
using Federated.Modeling.Quantization;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Quantization;

public sealed class BlockQuantizationTests
{
    [Theory]
    [InlineData(8, new float[] { 1, -2, 0, 0.5f }, -2 / -128f, new sbyte[] { 64, -128, 0, 32 })]
    [InlineData(4, new float[] { 1, -2, 0, 0.5f }, -2 / -8f, new sbyte[] { 4, -8, 0, 2 })]
    [InlineData(4, new float[] { 2, -2, 0, 0.5f }, 2 / -8f, new sbyte[] { -8, 7, 0, -2 })]
    [InlineData(4, new float[] { 0, 0, 0, 0 }, 0f, new sbyte[] { 0, 0, 0, 0 })]
    public void Quantize_Block_GivesScaleAndNumbers(int bits, float[] weights, float scale, sbyte[] numbers)
    {
        sbyte[] found = new sbyte[weights.Length];
        float[] scales = new float[1];

        BlockQuantization.Quantize(weights, weights.Length, bits, found, scales);

        Assert.Equal(scale, scales[0]);
        Assert.Equal(numbers, found);
    }

    [Theory]
    [InlineData(64, 32)]
    [InlineData(784, 28)]
    [InlineData(48, 24)]
    [InlineData(10, 10)]
    [InlineData(257, 257)]
    public void BlockLength_OfARow_DividesIt(int columns, int expected) => Assert.Equal(expected, BlockQuantization.BlockLength(columns));

    // Half a step, or one where the number beyond the highest is wanted.
    [Fact]
    public void Dequantize_AnyMatrix_IsWithinAStep() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 9], Gen.Int[1, 2], Gen.Int).Sample((length, blocks, quarters, seed) =>
        {
            int bits = 4 * quarters;
            SeededGenerator random = SeededGenerator.For(unchecked((ulong)seed), "weights");
            float[] weights = [.. Enumerable.Range(0, length * blocks).Select(_ => (float)random.NextGaussian())];
            sbyte[] numbers = new sbyte[weights.Length];
            float[] scales = new float[blocks];
            BlockQuantization.Quantize(weights, length, bits, numbers, scales);
            float[] again = BlockQuantization.Dequantize(numbers, scales);
            for (int i = 0; i < weights.Length; i++)
            {
                float step = Math.Abs(scales[i / length]);
                Assert.InRange(Math.Abs(weights[i] - again[i]), 0, (numbers[i] == (1 << (bits - 1)) - 1 ? step : step / 2) * 1.0001f);
            }
        });

    [Fact]
    public void Pack_Numbers_AreTheLowerHalfFirst()
    {
        sbyte[] numbers = [-8, 7, 3];

        Assert.Equal([0x78, 0x03], BlockQuantization.Pack(numbers));
        Assert.Equal(numbers, BlockQuantization.Unpack(BlockQuantization.Pack(numbers), 3));
    }
}
