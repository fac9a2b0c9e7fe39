using System.Security.Cryptography;
using CsCheck;
using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.SecureAggregation;

public sealed class MaskLayerTests
{
    [Fact]
    public void Apply_EveryWidthAndThreadCount_AgreesWithFieldByField() =>
        Gen.Select(Gen.Int[2, 32], Gen.Int[1, 20_000], Gen.Int[1, 4], Gen.Int[1, 5]).Sample((width, length, threads, masks) =>
        {
            MaskKey[] keys = [.. Enumerable.Range(0, masks).Select(i => new MaskKey(SHA256.HashData([(byte)i]), i % 2 == 1))];
            FieldVector fast = new(length, width);
            MaskLayer.Apply(fast, keys, threads);
            return Enumerable.Range(0, 50).Select(i => i * length / 50).All(i => fast[i] == Slow(keys, i, width));
        }, iter: 60);

    [Fact]
    public void Apply_MoreMasksThanAreOpenAtATime_TakesThemAll()
    {
        MaskKey[] keys = [.. Enumerable.Range(0, 600).Select(i => new MaskKey(SHA256.HashData(BitConverter.GetBytes(i)), false))];
        FieldVector vector = new(40, 16);
        MaskLayer.Apply(vector, keys, 1);
        Assert.Equal(Slow(keys, 39, 16), vector[39]);
    }

    [Fact]
    public void Apply_AddedAndSubtracted_IsNothing()
    {
        FieldVector vector = FieldVector.Of([.. Enumerable.Range(0, 30_000).Select(i => (uint)i)], 20);
        byte[] key = RandomNumberGenerator.GetBytes(32);
        MaskLayer.Apply(vector, [new MaskKey(key, false)], 2);
        Assert.NotEqual(29_999u, vector[29_999]);
        MaskLayer.Apply(vector, [new MaskKey(key, true)], 1);
        Assert.All(Enumerable.Range(0, 30_000), i => Assert.Equal((uint)i, vector[i]));
    }

    // A seed folded to 32 or 16 bits would make two of these keys give one mask: each bit of the key counts.
    [Fact]
    public void Apply_EverySingleBitOfTheKey_ChangesTheMask()
    {
        HashSet<uint> seen = [];
        for (int bit = 0; bit < 256; bit++)
        {
            byte[] key = new byte[32];
            key[bit / 8] = (byte)(1 << (bit % 8));
            FieldVector vector = new(4, 32);
            MaskLayer.Apply(vector, [new MaskKey(key, false)], 1);
            Assert.True(seen.Add(vector[0]), $"bit {bit} changes nothing");
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(31)]
    [InlineData(33)]
    public void Keystream_OtherKeyLength_IsRefused(int bytes) => Assert.Throws<ArgumentException>(() => new CounterKeystream(new byte[bytes]));

    // Uniform modulo 2^b for every b: chi-square over the values of narrow fields, and over the top four bits of wide ones.
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(12)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(23)]
    [InlineData(31)]
    [InlineData(32)]
    public void Apply_OneMask_IsUniform(int width)
    {
        const int Length = 200_000;
        FieldVector vector = new(Length, width);
        MaskLayer.Apply(vector, [new MaskKey(SHA256.HashData([(byte)width]), false)], 1);
        int bits = Math.Min(width, 4);
        int[] high = new int[1 << bits];
        int[] low = new int[1 << bits];
        for (int i = 0; i < Length; i++)
        {
            high[vector[i] >> (width - bits)]++;
            low[vector[i] & ((1 << bits) - 1)]++;
        }

        // 99.99 % quantile of chi-square with at most 15 degrees of freedom: 44.3.
        Assert.InRange(ChiSquare(high, Length), 0, 44.3);
        Assert.InRange(ChiSquare(low, Length), 0, 44.3);
    }

    private static double ChiSquare(int[] counts, int total)
    {
        double expected = (double)total / counts.Length;
        return counts.Sum(count => (count - expected) * (count - expected) / expected);
    }

    // One lane at a time, straight from the definition.
    private static uint Slow(MaskKey[] keys, int field, int width)
    {
        int lane = width <= 8 ? 1 : width <= 16 ? 2 : 4;
        ulong sum = 0;
        foreach (MaskKey key in keys)
        {
            using Aes aes = Aes.Create();
            aes.Key = key.Key;
            byte[] counter = new byte[16];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(counter.AsSpan(12), field * lane / 16);
            byte[] block = aes.EncryptEcb(counter, PaddingMode.None);
            int offset = field * lane % 16;
            ulong mask = lane switch { 1 => block[offset], 2 => BitConverter.ToUInt16(block, offset), _ => BitConverter.ToUInt32(block, offset) };
            sum = unchecked(key.Subtract ? sum - mask : sum + mask);
        }

        return (uint)(sum & ((1UL << width) - 1));
    }
}
