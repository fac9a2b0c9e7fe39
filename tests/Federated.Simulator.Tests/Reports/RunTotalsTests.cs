using Federated.Simulator.Reports;

namespace Federated.Simulator.Tests.Reports;

public sealed class RunTotalsTests
{
    [Fact]
    public void Of_FourRounds_SumsThem()
    {
        RunTotals totals = RunTotals.Of(SampleRun.Rounds(4), targetAccuracy: 0.85);

        Assert.Equal(4, totals.Rounds);
        Assert.Equal(1, totals.Abandoned);
        Assert.Equal(30, totals.Accepted);
        Assert.Equal(1 + 2 + 0 + 1, totals.Late);
        Assert.Equal(1 + 2 + 3 + 0, totals.Dropped["SIMULATED_LOSS"]);
        Assert.Equal(3 * 7_970_000 / 30.0, totals.BytesUpPerClientRound);
        Assert.Equal(3 * 8_010_000 / 30.0, totals.BytesDownPerClientRound);
        Assert.Equal(0.98 - 0.1, totals.LastEvaluation!.Accuracy);
        Assert.Equal(4, totals.RoundsToTarget);
        Assert.EndsWith("4", totals.AdapterSha256, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_NoTarget_IsNeverReached() => Assert.Null(RunTotals.Of(SampleRun.Rounds(4), null).RoundsToTarget);

    [Fact]
    public void Of_NoRounds_IsAllZero()
    {
        RunTotals totals = RunTotals.Of([], 0.97);
        Assert.Equal(0, totals.BytesUpPerClientRound);
        Assert.Null(totals.LastEvaluation);
        Assert.Equal("", totals.AdapterSha256);
    }
}
