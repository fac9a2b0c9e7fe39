using CsCheck;
using Federated.Simulator.Population;

namespace Federated.Simulator.Tests.Population;

public sealed class PartitionerTests
{
    private static readonly Gen<(int[] Labels, int Devices, ulong Seed)> _cases =
        Gen.Select(Gen.Int[0, 9].Array[20, 300], Gen.Int[1, 20], Gen.ULong);

    [Fact]
    public void Iid_AnyCase_DealsEveryExampleOnceInEvenParts() => _cases.Sample(c =>
    {
        int[][] parts = Partitioner.Iid(c.Labels.Length, c.Devices, c.Seed);
        AssertCovers(parts, c.Labels.Length, c.Devices);
        AssertEven(parts);
    });

    [Fact]
    public void Dirichlet_AnyAlpha_DealsEveryExampleOnceInEvenParts() => Gen.Select(_cases, Gen.Double[-6, 6]).Sample((c, exponent) =>
    {
        int[][] parts = Partitioner.Dirichlet(c.Labels, c.Devices, Math.Pow(10, exponent), c.Seed);
        AssertCovers(parts, c.Labels.Length, c.Devices);
        AssertEven(parts);
    });

    [Fact]
    public void Shards_AnyCase_DealsEveryExampleOnceAndFewRunsOfLabels() => Gen.Select(_cases, Gen.Int[1, 4]).Sample((c, shards) =>
    {
        if (c.Devices * shards > c.Labels.Length)
        {
            return;
        }

        AssertCovers(Partitioner.Shards(c.Labels, c.Devices, shards, c.Seed), c.Labels.Length, c.Devices);
    });

    [Fact]
    public void AnyScheme_SameSeed_GivesTheSameParts() => _cases.Sample(c =>
    {
        Assert.Equal(Partitioner.Iid(c.Labels.Length, c.Devices, c.Seed), Partitioner.Iid(c.Labels.Length, c.Devices, c.Seed));
        Assert.Equal(Partitioner.Dirichlet(c.Labels, c.Devices, 0.5, c.Seed), Partitioner.Dirichlet(c.Labels, c.Devices, 0.5, c.Seed));
        Assert.Equal(Partitioner.Shards(c.Labels, c.Devices, 1, c.Seed), Partitioner.Shards(c.Labels, c.Devices, 1, c.Seed));
    });

    [Fact]
    public void Iid_AnotherSeed_GivesOtherParts() =>
        Assert.NotEqual(Partitioner.Iid(100, 10, 1), Partitioner.Iid(100, 10, 2));

    [Fact]
    public void Shards_McMahansSetting_GivesTwoHundredShardsOfThreeHundred()
    {
        int[] labels = [.. Enumerable.Range(0, 60_000).Select(i => i % 10)];

        int[][] parts = Partitioner.Shards(labels, devices: 100, shardsPerDevice: 2, seed: 7);

        AssertCovers(parts, 60_000, 100);
        Assert.All(parts, part =>
        {
            Assert.Equal(600, part.Length);
            foreach (int[] shard in part.Chunk(300))
            {
                // 6,000 examples a label make exactly 20 shards, so that no shard spans two labels.
                Assert.Single(shard.Select(i => labels[i]).Distinct());
                Assert.Equal(shard.Order(), shard);
            }
        });
        Assert.Contains(parts, part => part.Select(i => labels[i]).Distinct().Count() == 2);
    }

    [Fact]
    public void Shards_OneDevice_KeepsEveryShard() =>
        Assert.Equal([0, 1, 2, 3], Partitioner.Shards([1, 0, 1, 0], devices: 1, shardsPerDevice: 2, seed: 3)[0].Order());

    [Fact]
    public void Dirichlet_TinyAlpha_GivesDevicesOfNearlyOneLabel()
    {
        int[] labels = [.. Enumerable.Range(0, 1_000).Select(i => i % 10)];
        int[][] parts = Partitioner.Dirichlet(labels, 10, alpha: 1e-4, seed: 5);
        Assert.Single(parts[0].Select(i => labels[i]).Distinct());
    }

    [Fact]
    public void Dirichlet_HugeAlpha_ComesNearToIid()
    {
        int[] labels = [.. Enumerable.Range(0, 10_000).Select(i => i % 10)];
        int[][] parts = Partitioner.Dirichlet(labels, 10, alpha: 1e6, seed: 5);
        Assert.All(parts.Take(5), part => Assert.All(part.CountBy(i => labels[i]), count => Assert.InRange(count.Value, 60, 140)));
    }

    [Fact]
    public void Shards_MoreShardsThanExamples_IsRefusedWithBothNumbers()
    {
        ArgumentOutOfRangeException refusal =
            Assert.Throws<ArgumentOutOfRangeException>(() => Partitioner.Shards([0, 1, 2], devices: 2, shardsPerDevice: 2, seed: 1));
        Assert.Contains("3 examples cannot be dealt to 4 shards", refusal.Message, StringComparison.Ordinal);
    }

    private static void AssertCovers(int[][] parts, int examples, int devices)
    {
        Assert.Equal(devices, parts.Length);
        Assert.All(parts, Assert.NotEmpty);
        Assert.Equal(Enumerable.Range(0, examples), parts.SelectMany(part => part).Order());
    }

    private static void AssertEven(int[][] parts) =>
        Assert.InRange(parts.Max(part => part.Length) - parts.Min(part => part.Length), 0, 1);
}
