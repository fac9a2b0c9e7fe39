using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.SecureAggregation;

public sealed class GroupTopologyTests
{
    [Theory]
    [InlineData(10, 0.33, 0.33, false, 8, 4)]
    [InlineData(100, 0.33, 0.33, false, 68, 34)]
    [InlineData(1000, 0.33, 0.33, false, 286, 150)]
    [InlineData(100, 0.45, 0.45, false, 92, 46)]
    [InlineData(100, 0.3, 0.3, true, 92, 62)]
    [InlineData(1000, 0.3, 0.3, true, 872, 584)]
    public void Find_PublishedParameters_AreFound(int clients, double adversarial, double dropout, bool semiMalicious, int degree, int threshold) =>
        Assert.Equal(new HararyParameters(degree, threshold), HararyParameters.Find(clients, adversarial, dropout, semiMalicious));

    [Fact]
    public void Find_NothingSmaller_IsNull() => Assert.Null(HararyParameters.Find(4, 0.33, 0.33));

    [Theory]
    [InlineData(2, 0.3, 0.3)]
    [InlineData(10, 1.0, 0.3)]
    [InlineData(10, -0.1, 0.3)]
    [InlineData(10, 0.3, double.NaN)]
    public void Find_Nonsense_IsRefused(int clients, double adversarial, double dropout) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => HararyParameters.Find(clients, adversarial, dropout));

    [Theory]
    [InlineData(3, 3)]
    [InlineData(4, 3)]
    [InlineData(32, 22)]
    [InlineData(50, 34)]
    [InlineData(128, 86)]
    public void CompleteThreshold_Size_IsTwoThirdsAndOne(int size, int threshold)
    {
        Assert.Equal(threshold, GroupTopology.CompleteThreshold(size));

        // Two sets of t share more than a third: no two sets of survivors gather t signatures of honest members.
        Assert.True((2 * threshold) - size > size / 3);
    }

    [Fact]
    public void NeighboursOf_CompleteGroup_IsEveryoneElse()
    {
        GroupTopology topology = GroupTopology.Of(Sample.Header(), 5, Sample.Session(1));
        Assert.Equal([1, 3, 4, 5], topology.NeighboursOf(2));
        Assert.Equal([1, 2, 3, 4, 5], topology.HoldersOf(2));
        Assert.Equal([2, 3, 4, 5], topology.NeighboursOf(1));
        Assert.Equal([1, 2, 3, 4], topology.NeighboursOf(5));
    }

    [Fact]
    public void NeighboursOf_Graph_IsSymmetricRegularAndDependsOnTheSession()
    {
        GroupHeader header = Sample.Header() with { Topology = GroupTopologyKind.NeighbourGraph, AdversarialPermille = 330, DropoutPermille = 330, MaxMembers = 100 };
        GroupTopology topology = GroupTopology.Of(header, 100, Sample.Session(1));
        GroupTopology other = GroupTopology.Of(header, 100, Sample.Session(2));
        Assert.Equal(34, topology.Threshold);
        Assert.False(topology.IsComplete);
        for (int u = 1; u <= 100; u++)
        {
            int[] neighbours = topology.NeighboursOf(u);
            Assert.Equal(68, neighbours.Distinct().Count());
            Assert.DoesNotContain(u, neighbours);
            Assert.All(neighbours, v => Assert.Contains(u, topology.NeighboursOf(v)));
        }

        Assert.NotEqual(topology.NeighboursOf(1), other.NeighboursOf(1));
    }
}
