using Federated.Simulator.Bench.Groups;

namespace Federated.Simulator.Tests.Bench;

public sealed class GroupBenchTests
{
    [Fact]
    public void Problem_GroupsThatTheTableDoesNotHave_AreNamedWithThoseItHas()
    {
        Assert.Equal("--members 11: it is 10, 50, 100, 500, 1000.", GroupBench.Problem(new GroupChoice(Quick: false, [10, 11], [])));
        Assert.Equal("--members 1000: it is 10, 50 with --quick.", GroupBench.Problem(new GroupChoice(Quick: true, [1000], [])));
        Assert.Equal("--fields 7: it is 10000, 100000, 1000000.", GroupBench.Problem(new GroupChoice(Quick: false, [], [7])));
    }

    [Fact]
    public void Problem_GroupsOfTheTable_IsNone()
    {
        Assert.Null(GroupBench.Problem(new GroupChoice(Quick: false, [], [])));
        Assert.Null(GroupBench.Problem(new GroupChoice(Quick: true, [50], [10_000])));
    }
}
