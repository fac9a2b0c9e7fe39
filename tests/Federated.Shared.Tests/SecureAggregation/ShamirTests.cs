using CsCheck;
using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.SecureAggregation;

public sealed class ShamirTests
{
    // t = 3, x = 1…5; the secret is the two-limb number 33.
    private static readonly uint[][] _published =
    [
        [0x70CF762E, 0x6ED4AA1C], [0x30A0C5AC, 0x26EB91CC], [0x3F73EE90, 0x2844B747], [0x1D48F0CF, 0x72E01A8D], [0x4A1FCC74, 0x06BDBB88],
    ];

    [Theory]
    [InlineData(1, 2, 3)]
    [InlineData(1, 3, 5)]
    [InlineData(3, 4, 5)]
    [InlineData(5, 2, 1)]
    public void Combine_PublishedShares_GivesTheSecret(int a, int b, int c)
    {
        int[] abscissae = [a, b, c];
        uint[] secret = new uint[2];
        ShamirSharing.Combine(ShamirSharing.WeightsAtZero(abscissae), [.. abscissae.Select(x => _published[x - 1])], secret);
        Assert.Equal([0u, 33u], secret);
    }

    [Fact]
    public void Combine_TwoPublishedSharesOfThree_DoesNot()
    {
        uint[] secret = new uint[2];
        ShamirSharing.Combine(ShamirSharing.WeightsAtZero([1, 2]), [_published[0], _published[1]], secret);
        Assert.NotEqual(33u, secret[1]);
    }

    [Fact]
    public void Split_AnyThreshold_AnyTShares_GiveTheSecretBack() => Gen.Select(Gen.Byte.Array[32], Gen.Int[1, 40], Gen.Int[0, 30], Gen.UInt)
        .Sample((secret, threshold, spare, seed) =>
        {
            int[] holders = [.. Enumerable.Range(1, threshold + spare).Select(i => i * 3)];
            uint[] limbs = new uint[ShamirLimbs.Count];
            ShamirLimbs.FromSecret(secret, limbs);
            uint[] shares = new uint[holders.Length * ShamirLimbs.Count];
            ShamirSharing.Split(limbs, threshold, holders, shares);

            int[] chosen = [.. Enumerable.Range(0, holders.Length).OrderBy(i => unchecked(((uint)i * 2654435761u) ^ seed)).Take(threshold)];
            uint[] found = new uint[ShamirLimbs.Count];
            ShamirSharing.Combine(
                ShamirSharing.WeightsAtZero([.. chosen.Select(i => holders[i])]),
                [.. chosen.Select(i => shares.AsSpan(i * ShamirLimbs.Count, ShamirLimbs.Count).ToArray())],
                found);
            byte[] back = new byte[32];
            return ShamirLimbs.TryToSecret(found, back) && back.SequenceEqual(secret);
        }, iter: 300);

    [Fact]
    public void Split_SameSecretTwice_GivesOtherShares()
    {
        uint[] limbs = new uint[ShamirLimbs.Count];
        uint[] first = new uint[3 * ShamirLimbs.Count];
        uint[] second = new uint[3 * ShamirLimbs.Count];
        ShamirSharing.Split(limbs, 2, [1, 2, 3], first);
        ShamirSharing.Split(limbs, 2, [1, 2, 3], second);
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void Split_OneShare_IsUniformWhateverTheSecret()
    {
        // Below the threshold a share says nothing: its mean and its top bit do not depend on the secret.
        double meanOfZero = MeanShare(0);
        double meanOfMost = MeanShare(int.MaxValue);
        Assert.InRange(meanOfZero, 0.47, 0.53);
        Assert.InRange(meanOfMost, 0.47, 0.53);
    }

    [Fact]
    public void FromSecret_EverySecret_RoundTrips() => Gen.Byte.Array[32].Sample(secret =>
    {
        uint[] limbs = new uint[ShamirLimbs.Count];
        ShamirLimbs.FromSecret(secret, limbs);
        byte[] back = new byte[32];
        return limbs.All(limb => limb <= int.MaxValue) && limbs[0] < 256 && ShamirLimbs.TryToSecret(limbs, back) && back.SequenceEqual(secret);
    });

    [Fact]
    public void FromSecret_One_IsTheLastLimb()
    {
        byte[] one = new byte[32];
        one[31] = 1;
        uint[] limbs = new uint[ShamirLimbs.Count];
        ShamirLimbs.FromSecret(one, limbs);
        Assert.Equal([0u, 0, 0, 0, 0, 0, 0, 0, 1], limbs);
    }

    [Theory]
    [InlineData(0, 256u)]
    [InlineData(4, 0x8000_0000u)]
    public void TryToSecret_LimbTooLarge_IsRefused(int limb, uint value)
    {
        uint[] limbs = new uint[ShamirLimbs.Count];
        limbs[limb] = value;
        Assert.False(ShamirLimbs.TryToSecret(limbs, new byte[32]));
    }

    [Fact]
    public void TryReadShare_NoFieldElement_IsRefused()
    {
        uint[] share = new uint[ShamirLimbs.Count];
        byte[] bytes = new byte[ShamirLimbs.ShareBytes];
        Assert.True(ShamirLimbs.TryReadShare(bytes, share));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(bytes, ShamirField.Prime);
        Assert.False(ShamirLimbs.TryReadShare(bytes, share));
        Assert.False(ShamirLimbs.TryReadShare(bytes.AsSpan(1), share));
    }

    [Fact]
    public void WeightsAtZero_AbscissaTwice_IsRefused() => Assert.Throws<DivideByZeroException>(() => ShamirSharing.WeightsAtZero([1, 2, 1]));

    [Fact]
    public void Field_Arithmetic_AgreesWithWideIntegers() => Gen.Select(Gen.UInt[0, ShamirField.Prime - 1], Gen.UInt[0, ShamirField.Prime - 1])
        .Sample((a, b) =>
            ShamirField.MultiplyAdd(a, 1, b) == (a + (UInt128)b) % ShamirField.Prime
            && ShamirField.Multiply(a, b) == (a * (UInt128)b) % ShamirField.Prime
            && ShamirField.MultiplyAdd(ShamirField.Subtract(a, b), 1, b) == a
            && (a == 0 || ShamirField.Multiply(a, ShamirField.Invert(a)) == 1));

    private static double MeanShare(uint limb)
    {
        uint[] limbs = new uint[ShamirLimbs.Count];
        limbs.AsSpan().Fill(limb);
        uint[] shares = new uint[3 * ShamirLimbs.Count];
        double sum = 0;
        const int Repeats = 300;
        for (int i = 0; i < Repeats; i++)
        {
            ShamirSharing.Split(limbs, 2, [1, 2, 3], shares);
            sum += shares.Take(ShamirLimbs.Count).Sum(share => share / (double)ShamirField.Prime);
        }

        return sum / (Repeats * ShamirLimbs.Count);
    }
}
