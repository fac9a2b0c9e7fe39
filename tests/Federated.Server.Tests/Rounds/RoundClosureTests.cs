using Federated.Server.Grains;

namespace Federated.Server.Tests.Rounds;

public sealed class RoundClosureTests
{
    private static readonly RoundClosure _closure = new()
    {
        Commit = true,
        Reason = "",
        Dropped = new Dictionary<string, int> { ["deadline"] = 2, ["no-data"] = 1 },
        DropReasons = new Dictionary<string, string> { ["pi-1"] = "deadline", ["pi-2"] = "deadline", ["pi-3"] = "no-data" },
    };

    [Fact]
    public void DroppedWithout_UpdatesFoldedAtTheDeadline_CountsOnlyTheOthers()
    {
        Assert.Equal(new SortedDictionary<string, int> { ["deadline"] = 1, ["no-data"] = 1 }, _closure.DroppedWithout(["pi-0", "pi-2"]));
        Assert.Equal(new SortedDictionary<string, int> { ["no-data"] = 1 }, _closure.DroppedWithout(["pi-1", "pi-2"]));
        Assert.Equal(_closure.Dropped, _closure.DroppedWithout([]));
    }

    [Fact]
    public void DroppedWithout_ClosureOfAnEarlierVersion_CountsAsWritten() =>
        Assert.Equal(_closure.Dropped, (_closure with { DropReasons = [] }).DroppedWithout(["pi-1"]));
}
