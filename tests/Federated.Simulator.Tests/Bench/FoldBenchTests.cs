using Federated.Simulator.Bench;

namespace Federated.Simulator.Tests.Bench;

public sealed class FoldBenchTests
{
    [Fact]
    public void Measure_SoManyUpdates_FoldsAndTellsThem()
    {
        FoldRate rate = FoldBench.Measure(2);
        Assert.Equal(2, rate.Updates);
        Assert.True(rate.FoldGigabytesPerSecond > 0 && rate.CheckGigabytesPerSecond > 0 && rate.CopyGigabytesPerSecond > 0);
    }
}
