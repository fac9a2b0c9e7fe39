using Federated.Simulator.Bench;

namespace Federated.Simulator.Tests.Bench;

/// <summary>Predictions beside measurements of this machine. Times are printed and not judged: what else runs here would decide.</summary>
public sealed class CostBenchTests
{
    [Fact]
    public async Task MeasureAsync_FiveJobs_HoldTheMemoryThatIsPredicted()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The peak of a process is what Linux counts.");

        CostReport report = await CostBench.MeasureAsync(trials: 1, TestContext.Current.CancellationToken);

        string measured = string.Join(Environment.NewLine, report.Rows);
        TestContext.Current.SendDiagnosticMessage($"{report.Machine}{Environment.NewLine}{measured}");
        Assert.Equal(5, report.Rows.Count);
        Assert.All(report.Rows, row => Assert.True(row.PredictedPeakBytes / row.PeakBytes is > 0.8 and < 1.25, measured));
        Assert.All(report.Rows, row => Assert.True(row.PredictedStepMicroseconds > 0 && row.StepMicroseconds > 0, measured));
    }
}
