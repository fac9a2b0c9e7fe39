using Federated.Simulator.Faults;
using Federated.Simulator.Population;

namespace Federated.Simulator.Tests.Faults;

public sealed class FaultModelTests
{
    private static readonly PlannedWork _work = new(BytesDown: 1_000_000, Examples: 600, BytesUp: 500_000);

    private static readonly FleetProfile _profile = FleetProfile.Desktop with
    {
        ExamplesPerSecond = 300,
        DownlinkBytesPerSecond = 2_000_000,
        UplinkBytesPerSecond = 1_000_000,
    };

    [Fact]
    public void CompletionTime_NoJitter_IsDownloadPlusTrainingPlusUpload() =>
        Assert.Equal(TimeSpan.FromSeconds(0.5 + 2 + 0.5), new FaultModel(1, 0, 0).CompletionTime(_profile, 1, "d", _work));

    [Fact]
    public void CompletionTime_SameSeedRoundAndDevice_Repeats()
    {
        TimeSpan first = new FaultModel(3, 0, 0.4).CompletionTime(_profile, 7, "d", _work);
        Assert.Equal(first, new FaultModel(3, 0, 0.4).CompletionTime(_profile, 7, "d", _work));
        Assert.NotEqual(first, new FaultModel(4, 0, 0.4).CompletionTime(_profile, 7, "d", _work));
        Assert.NotEqual(first, new FaultModel(3, 0, 0.4).CompletionTime(_profile, 8, "d", _work));
        Assert.NotEqual(first, new FaultModel(3, 0, 0.4).CompletionTime(_profile, 7, "e", _work));
    }

    [Fact]
    public void Drops_ManyDraws_HappensAtTheRate()
    {
        FaultModel faults = new(9, 0.15, 0);
        int dropped = Enumerable.Range(0, 10_000).Count(i => faults.Drops(i, "d"));
        Assert.InRange(dropped, 1_400, 1_600);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void Drops_RateAtItsEnds_IsCertain(double rate, bool expected) =>
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(expected, new FaultModel(5, rate, 0).Drops(i, "d")));
}
