using Federated.Simulator.Runs;
using Federated.Simulator.Tests.Reports;

namespace Federated.Simulator.Tests.CommandLine;

public sealed class RunProgressTests
{
    [Fact]
    public void After_TwoRoundsInFourSeconds_KnowsRatesAndTimeLeft()
    {
        RunProgress progress = new RunProgress { MaxRounds = 10, TargetAccuracy = null }
            .After(SampleRun.Round(1), TimeSpan.FromSeconds(2))
            .After(SampleRun.Round(2), TimeSpan.FromSeconds(4));
        Assert.Equal(0.5, progress.RoundsPerSecond);
        Assert.Equal(5, progress.UpdatesPerSecond);
        Assert.Equal(TimeSpan.FromSeconds(16), progress.MostTimeLeft);
        Assert.Equal(1 + 2, progress.Dropped);
        Assert.Equal([0.98 - 0.2], progress.Accuracies);
    }

    [Fact]
    public void MostTimeLeft_BeforeTheFirstRound_IsUnknown() =>
        Assert.Null(new RunProgress { MaxRounds = 10, TargetAccuracy = null }.MostTimeLeft);
}
