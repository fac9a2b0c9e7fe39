using CsCheck;
using Federated.Server.Rounds;
using Federated.Shared.Randomness;

namespace Federated.Server.Tests.Rounds;

public sealed class UniformSelectionTests
{
    private static string[] Pool(int count) => [.. Enumerable.Range(0, count).Select(i => $"device-{i}")];

    [Fact]
    public void Choose_ShuffledPool_GivesTheSameSortedDistinctSubset() =>
        Gen.Select(Gen.Int[0, 60], Gen.Int[0, 70], Gen.ULong, Gen.Long[0, 1000]).Sample((pool, count, seed, round) =>
        {
            string[] devices = Pool(pool);
            string[] chosen = UniformSelection.Choose(devices, count, seed, round);
            string[] shuffled = [.. devices];
            SeededGenerator.For(seed, "test").Shuffle<string>(shuffled);
            return chosen.Length == Math.Min(count, pool) && chosen.Distinct().Count() == chosen.Length && chosen.All(devices.Contains)
                && chosen.SequenceEqual(chosen.Order(StringComparer.Ordinal))
                && chosen.SequenceEqual(UniformSelection.Choose(shuffled, count, seed, round));
        });

    [Fact]
    public void Choose_OtherRoundOrSeed_ChoosesOthers()
    {
        string[] chosen = UniformSelection.Choose(Pool(1000), 20, 1, 1);
        Assert.NotEqual(chosen, UniformSelection.Choose(Pool(1000), 20, 1, 2));
        Assert.NotEqual(chosen, UniformSelection.Choose(Pool(1000), 20, 2, 1));
    }

    [Fact]
    public void Choose_DeviceNamedTwice_CountsOnce() => Assert.Equal(["a", "b"], UniformSelection.Choose(["b", "a", "b"], 5, 1, 1));

    // All C(6,3) = 20 subsets over 20,000 rounds, 1,000 expected each. Pearson's statistic with 19 degrees of freedom exceeds
    // 43.82 with probability 0.001 for a uniform choice; the seed is fixed, so the test does not flicker.
    [Fact]
    public void Choose_ManyRounds_EverySubsetIsEquallyLikely()
    {
        const int Rounds = 20_000;
        string[] pool = Pool(6);
        Dictionary<string, int> counts = [];
        for (int round = 0; round < Rounds; round++)
        {
            string subset = string.Join(',', UniformSelection.Choose(pool, 3, 7, round));
            counts[subset] = counts.GetValueOrDefault(subset) + 1;
        }

        Assert.Equal(20, counts.Count);
        double statistic = counts.Values.Sum(count => (count - 1000.0) * (count - 1000.0) / 1000.0);
        Assert.InRange(statistic, 0, 43.82);
    }
}
