using Federated.Simulator.Population;

namespace Federated.Simulator.Tests.Population;

public sealed class FleetProfileTests
{
    private static readonly FleetProfile _fast = FleetProfile.Desktop with { Name = "fast", Share = 2 };
    private static readonly FleetProfile _slow = FleetProfile.Desktop with { Name = "slow", Share = 1 };

    [Fact]
    public void Deal_SharesThatDoNotDivide_RoundsByLargestRemainder()
    {
        FleetProfile[] fleet = FleetProfile.Deal([_fast, _slow], 100, seed: 1);
        Assert.Equal(67, fleet.Count(profile => profile.Name == "fast"));
        Assert.Equal(33, fleet.Count(profile => profile.Name == "slow"));
    }

    [Fact]
    public void Deal_SameSeed_Repeats()
    {
        Assert.Equal(FleetProfile.Deal([_fast, _slow], 50, seed: 1), FleetProfile.Deal([_fast, _slow], 50, seed: 1));
        Assert.NotEqual(FleetProfile.Deal([_fast, _slow], 50, seed: 1), FleetProfile.Deal([_fast, _slow], 50, seed: 2));
    }
}
