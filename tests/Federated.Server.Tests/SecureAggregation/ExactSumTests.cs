using CsCheck;
using Federated.Server.SecureAggregation;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.Tests.SecureAggregation;

/// <summary>
/// The sum is exact for every size, width and way of dropping out that leaves enough members; otherwise the group is abandoned by name.
/// </summary>
public sealed class ExactSumTests
{
    // Before sharing, before the masked input, before the signature, before the shares that unmask.
    private static readonly int[] _rounds = [2, 3, 4, 5];

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(32)]
    [InlineData(50)]
    public void Run_EveryoneStays_IsTheExactSum(int devices)
    {
        using GroupScene scene = new(devices);
        scene.Run();
        scene.DemandSumOf(Enumerable.Range(1, devices));
    }

    public static MatrixTheoryData<int, int> WidthsAndRounds => new(Enumerable.Range(8, 25), _rounds);

    // t = 5 of 7: two may go.
    [Theory]
    [MemberData(nameof(WidthsAndRounds))]
    public void Run_EveryWidthAndRoundOfDroppingOut_IsTheExactSum(int width, int round)
    {
        const int Devices = 7;
        long most = ((1L << width) - 1) / Devices;
        using GroupScene scene = new(Devices, header => header with { WidthBits = width, MinField = -(most / 2), MaxField = most - (most / 2), FieldCount = 33 });
        scene.Run((round, [2, 7]));
        scene.DemandSumOf(InTheSum(Devices, round, [2, 7]));
    }

    public static MatrixTheoryData<int, int> SizesAndRounds => new([3, 4, 5, 8, 16, 33], _rounds);

    // All that may vanish do, before one round: exactly t are left.
    [Theory]
    [MemberData(nameof(SizesAndRounds))]
    public void Run_AllButTheThresholdVanish_IsTheExactSumOfThoseWhoSentTheirInput(int devices, int round)
    {
        using GroupScene scene = new(devices);
        int[] gone = Spread(devices, devices - GroupTopology.CompleteThreshold(devices));
        scene.Run((round, gone));
        scene.DemandSumOf(InTheSum(devices, round, gone));
    }

    [Fact]
    public void Run_LargestCompleteGroupLosesMembersBeforeEveryRound_IsTheExactSumDownToTheThreshold()
    {
        const int Devices = 128;
        using GroupScene scene = new(Devices);
        int[] gone = Spread(Devices, Devices - GroupTopology.CompleteThreshold(Devices));
        (int Round, int[] Devices)[] parts = [.. _rounds.Select((round, i) => (round, gone.Where((_, place) => place % _rounds.Length == i).ToArray()))];
        scene.Run(parts);
        scene.DemandSumOf(Enumerable.Range(1, Devices).Except(parts[0].Devices).Except(parts[1].Devices));
    }

    // n = 10: t = 7, three may go. Each class alone, and in combination, up to the threshold.
    [Theory]
    [InlineData(0, new[] { 1, 5, 10 }, new[] { 2, 3, 4, 6, 7, 8, 9 })]
    [InlineData(2, new[] { 1, 5, 10 }, new[] { 2, 3, 4, 6, 7, 8, 9 })]
    [InlineData(3, new[] { 1, 5, 10 }, new[] { 2, 3, 4, 6, 7, 8, 9 })]
    [InlineData(4, new[] { 1, 5, 10 }, new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })]
    [InlineData(5, new[] { 1, 5, 10 }, new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })]
    public void Run_ThreeOfTenVanishBeforeOneRound_IsTheExactSumOfTheRest(int round, int[] gone, int[] inTheSum)
    {
        using GroupScene scene = new(10);
        scene.Run((round, gone));
        scene.DemandSumOf(inTheSum);
    }

    [Fact]
    public void Run_OneVanishesBeforeEachOfTheRounds_IsTheExactSumOfThoseWhoSentTheirInput()
    {
        // n = 17: the roster has 16, t = 11; 12 answer the last round.
        using GroupScene scene = new(17);
        scene.Run((0, [3]), (2, [1]), (3, [17]), (4, [8]), (5, [9]));
        scene.DemandSumOf(Enumerable.Range(1, 17).Except([3, 1, 17]));
    }

    [Theory]
    [InlineData(2, "shared their secrets")]
    [InlineData(3, "sent their masked input")]
    [InlineData(4, "survivors signed")]
    [InlineData(5, "cannot be reconstructed")]
    public void Run_BelowTheThreshold_IsAbandonedWithTheReason(int round, string reason)
    {
        using GroupScene scene = new(10);
        scene.Run((round, [1, 4, 5, 10]));
        Assert.Equal(ServerStep.Abandoned, scene.Server.Step);
        Assert.Contains(reason, scene.Server.AbandonReason, StringComparison.Ordinal);
        Assert.Null(scene.Server.Sum);
    }

    [Fact]
    public void Run_TooFewAdvertise_IsAbandonedWithTheReason()
    {
        using GroupScene scene = new(5, header => header with { MinMembers = 4 });
        scene.Run((0, [1, 2]));
        Assert.Contains("3 of 5 devices advertised keys, at least 4 have to", scene.Server.AbandonReason, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_RandomDropOuts_EitherTheExactSumOrAbandoned() =>
        Gen.Select(Gen.Int[3, 14], Gen.Int[0, 9].Array[14], Gen.Int[8, 32]).Sample((devices, fates, width) =>
        {
            using GroupScene scene = new(devices, header => header with { WidthBits = width, MinField = -9, MaxField = 9, FieldCount = 5 });
            (int, int[])[] gone = [.. new[] { 0, 2, 3, 4, 5 }.Select((round, i) =>
                (round, Enumerable.Range(1, devices).Where(device => fates[device - 1] == i).ToArray()))];
            scene.Run(gone);
            if (scene.Server.Step == ServerStep.Finished)
            {
                scene.DemandSumOf(Enumerable.Range(1, devices).Where(device => fates[device - 1] > 2));
            }
            else
            {
                Assert.NotNull(scene.Server.AbandonReason);
                int roster = fates.Take(devices).Count(fate => fate != 0);
                int last = fates.Take(devices).Count(fate => fate > 4);
                Assert.True(roster < 3 || last < GroupTopology.CompleteThreshold(roster), scene.Server.AbandonReason);
            }
        }, iter: 40, threads: 1);

    // Above 128 members: the neighbour graph. Degree 122 of 200.
    [Theory]
    [InlineData(10, 330)]
    [InlineData(200, 330)]
    public void Run_NeighbourGraph_IsTheExactSumOfTheRest(int devices, int permille)
    {
        using GroupScene scene = new(devices, header => Graph(header, permille));
        int[] gone = [.. Enumerable.Range(1, devices).Where(device => device % 11 == 5)];
        int[] later = [.. Enumerable.Range(1, devices).Where(device => device % 13 == 7)];
        scene.Run((3, gone), (5, later));
        scene.DemandSumOf(Enumerable.Range(1, devices).Except(gone));
    }

    // A graph for few adversaries keeps these short: the degree is what costs.
    [Theory]
    [InlineData(500)]
    [InlineData(1_000)]
    public void Run_LargeGraphLosesMembersBeforeEveryRound_IsTheExactSumOfThoseWhoSentTheirInput(int devices)
    {
        using GroupScene scene = new(devices, header => Graph(header, 5) with { FieldCount = 8, DropoutPermille = 60 });
        int[] gone = Spread(devices, devices / 20);
        (int Round, int[] Devices)[] parts = [.. _rounds.Select((round, i) => (round, gone.Where((_, place) => place % _rounds.Length == i).ToArray()))];
        scene.Run(parts);
        scene.DemandSumOf(Enumerable.Range(1, devices).Except(parts[0].Devices).Except(parts[1].Devices));
    }

    // So many of the devices, spread evenly over their numbers.
    private static int[] Spread(int devices, int count) => [.. Enumerable.Range(0, count).Select(i => 1 + (i * devices / count))];

    // Who vanishes after the masked input is in the sum.
    private static IEnumerable<int> InTheSum(int devices, int round, int[] gone) => Enumerable.Range(1, devices).Except(round <= 3 ? gone : []);

    private static GroupHeader Graph(GroupHeader header, int permille) => header with
    {
        Topology = GroupTopologyKind.NeighbourGraph,
        AdversarialPermille = permille,
        DropoutPermille = permille,
        WidthBits = 20,
    };
}
