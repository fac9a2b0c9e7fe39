using Federated.Simulator.Bench;

namespace Federated.Simulator.Tests.Bench;

/// <summary>What a step holds of a frozen base, in processes of their own.</summary>
public sealed class BaseBenchTests
{
    // Five blocks of 3.1 million parameters: 62 MB in float32.
    [Fact]
    public async Task MeasureAsync_FewerBits_HoldAFractionOfFloat32()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The peak of a process is what Linux counts.");

        IReadOnlyList<BaseRow> rows = await BaseBench.MeasureAsync(512, 1, 6, batch: 1, trials: 1, TestContext.Current.CancellationToken);

        string measured = string.Join("; ", rows);
        TestContext.Current.SendDiagnosticMessage(measured);
        Assert.Equal([32, 8, 4], rows.Select(row => row.Bits));
        Assert.True(rows[0].Float32Share >= 0.95, measured);
        Assert.True(rows[1].WeightMemoryBytes < rows[0].WeightMemoryBytes / 2, measured);
        Assert.True(rows[2].WeightMemoryBytes < rows[0].WeightMemoryBytes / 3, measured);
        Assert.True(rows[1].FileBytes < 0.3 * rows[0].FileBytes && rows[2].FileBytes < 0.17 * rows[0].FileBytes, measured);
    }
}
