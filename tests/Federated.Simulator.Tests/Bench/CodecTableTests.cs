using Federated.Simulator.Bench;

namespace Federated.Simulator.Tests.Bench;

public sealed class CodecTableTests
{
    [Fact]
    public void Of_SeveralSeeds_GivesMeanSpreadAndTheShareOfDensesGain()
    {
        CodecTable table = CodecTable.Of(
        [
            Run("dense", 1, 0.90, 1.0, up: 1_000, initialAccuracy: 0.10, initialLoss: 2.0),
            Run("dense", 2, 0.92, 1.5, up: 1_000, initialAccuracy: 0.12, initialLoss: 2.5),
            Run("half", 1, 0.60, 1.5, up: 250),
            Run("half", 2, 0.72, 1.7, up: 250),
        ]);

        Assert.Equal("toy: 5 rounds, seeds 1, 2; float32 adapter 1.0 kB, float32 model 10.0 kB", table.Title);
        Assert.Equal(["dense", "91.00 ± 1.00", "100 %", "1.2500 ± 0.2500", "100 %", "1.00", "1", "10", "2.0", "0"], table.Rows[0]);

        // In accuracy 0.5 of 0.8 with the first seed and 0.6 of 0.8 with the second, in loss 0.5 and 0.8 of 1.0.
        Assert.Equal(["half", "66.00 ± 6.00", "69 %", "1.6000 ± 0.1000", "65 %", "0.25", "4", "40", "2.0", "0"], table.Rows[1]);
        Assert.All(table.Rows, row => Assert.Equal(CodecTable.Columns.Length, row.Length));
    }

    [Fact]
    public void Of_WhatEndsWorseOrFails_SaysSo()
    {
        CodecTable table = CodecTable.Of(
        [
            Run("dense", 1, 0.90, 1.0, up: 1_000, initialAccuracy: 0.10, initialLoss: 2.0),
            Run("worse", 1, 0.10, 2.1, up: 100),
            Run("failed", 1, null, null, up: 100),
        ]);

        Assert.Equal("worse than before", table.Rows[1][4]);
        Assert.Equal(["–", "–", "–", "–"], table.Rows[2][1..5]);
    }

    [Fact]
    public void Of_DenseGotWorse_TellsNoShare()
    {
        CodecTable table = CodecTable.Of([Run("dense", 1, 0.9, 5.0, up: 1_000, initialLoss: 2.0), Run("worse", 1, 0.9, 8.0, up: 100)]);
        Assert.Equal(["–", "–"], table.Rows.Select(row => row[4]));
    }

    [Fact]
    public void Of_WithoutDenseOrTheLossBeforeTraining_LeavesTheGainOpen()
    {
        Assert.Equal("–", CodecTable.Of([Run("half", 1, 0.8, 1.5, up: 250, initialLoss: 2.0)]).Rows[0][4]);
        Assert.Equal("–", CodecTable.Of([Run("dense", 1, 0.8, 1.5, up: 250)]).Rows[0][4]);
    }

    private static CodecRun Run(string codec, ulong seed, double? accuracy, double? loss, double up, double? initialAccuracy = null, double? initialLoss = null) =>
        new("toy", codec, seed, "", 5, accuracy, loss, up, 2_000, 1_000, 10_000, 0, loss is null ? "diverged" : "", initialAccuracy, initialLoss);
}
