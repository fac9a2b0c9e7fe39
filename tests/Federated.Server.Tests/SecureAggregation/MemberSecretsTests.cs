using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.Tests.SecureAggregation;

/// <summary>
/// The seeds under the masks, put together from the shares that whole runs gave out: a seed that is short or comes again would open masks that nobody gave the server shares for.
/// </summary>
public sealed class MemberSecretsTests
{
    private const int Members = 16;

    [Fact]
    public void Seeds_OfTwoRuns_AreAllDifferent()
    {
        List<byte[]> seeds = [.. SeedsOfARun(), .. SeedsOfARun()];
        Assert.Equal(2 * Members, seeds.Select(Convert.ToHexString).Distinct().Count());
    }

    // A seed of 16 or 32 bits with zeros or repetitions around it has bytes that are the same in every seed, or the same as others of its seed.
    [Fact]
    public void Seeds_EveryByte_IsDrawn()
    {
        List<byte[]> seeds = [.. SeedsOfARun(), .. SeedsOfARun()];
        for (int i = 0; i < ShamirLimbs.SecretBytes; i++)
        {
            // Of 32 draws from 256 values at least 16 are different, but with a probability below 10⁻¹².
            Assert.InRange(seeds.Select(seed => seed[i]).Distinct().Count(), 16, 2 * Members);
            for (int j = 0; j < i; j++)
            {
                Assert.Contains(seeds, seed => seed[i] != seed[j]);
            }
        }
    }

    private static List<byte[]> SeedsOfARun()
    {
        using GroupScene scene = new(Members);
        scene.Run();
        scene.DemandSumOf(Enumerable.Range(1, Members));
        return [.. Enumerable.Range(1, Members).Select(member => SeedOf(scene, member))];
    }

    private static byte[] SeedOf(GroupScene scene, int member)
    {
        int threshold = GroupTopology.CompleteThreshold(Members);
        int[] givers = [.. Enumerable.Range(1, threshold)];
        uint[][] shares = [.. givers.Select(giver => ShareOf(scene, giver, member))];
        uint[] limbs = new uint[ShamirLimbs.Count];
        ShamirSharing.Combine(ShamirSharing.WeightsAtZero(givers), shares, limbs);
        byte[] seed = new byte[ShamirLimbs.SecretBytes];
        Assert.True(ShamirLimbs.TryToSecret(limbs, seed));
        return seed;
    }

    private static uint[] ShareOf(GroupScene scene, int giver, int member)
    {
        UnmaskingShares given = scene.Transcript.Single(entry => entry.Device == GroupScene.Id(giver) && entry.Message.Unmasking is not null).Message.Unmasking;
        uint[] share = new uint[ShamirLimbs.Count];
        Assert.True(ShamirLimbs.TryReadShare(given.Shares.Single(entry => entry.Member == (uint)member).SeedShare.Span, share));
        return share;
    }
}
