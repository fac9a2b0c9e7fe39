using Federated.Simulator.Bench.Groups;

namespace Federated.Simulator.Tests.Bench;

/// <summary>Groups whose members are mostly stood in for: they run to their sum, and a client of one does what a client of a whole group does.</summary>
public sealed class SampledGroupTests
{
    private static readonly MachineRates _rates = new(4, 10, 2, 7_000, 15_000, 11_000);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(30, 0)]
    [InlineData(30, 330)]
    public void Measure_AGroup_EndsWithASumAndTheTrafficOfAWholeOne(int dropout, int graph)
    {
        GroupShape shape = new(40, 1_001, 20, dropout, graph);
        using EnrolledMembers enrolled = new(shape.Members);
        GroupCost sampled = SampledGroup.Measure(shape, enrolled, _rates);
        GroupCost whole = WholeGroup.Measure(shape, enrolled, _rates);

        Assert.Equal((whole.Neighbours, whole.PayloadBytes), (sampled.Neighbours, sampled.PayloadBytes));
        Assert.InRange(sampled.UpBytes, whole.UpBytes - 64, whole.UpBytes + 64);
        Assert.InRange(sampled.DownBytes, whole.DownBytes - 64, whole.DownBytes + 64);
        Assert.True(sampled.ClientCpuMilliseconds > 0 && sampled.ServerCpuMilliseconds > 0);
    }
}
