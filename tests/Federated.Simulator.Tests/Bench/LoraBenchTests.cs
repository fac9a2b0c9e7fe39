using Federated.Simulator.Bench;
using Federated.Simulator.Tests.Runs;
using Federated.Testing;

namespace Federated.Simulator.Tests.Bench;

public sealed class LoraBenchTests
{
    [Fact]
    public async Task MeasureAsync_SmallScenario_GivesEveryRuleARow()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        string scenario = Path.Combine(folder.Path, "toy.json");
        await File.WriteAllTextAsync(scenario, SmallDigits.Text, TestContext.Current.CancellationToken);
        List<string> ran = [];

        IReadOnlyList<LoraRow> rows = await LoraBench.MeasureAsync(
            scenario,
            ["""job.model={ "builder": "mlp", "inputs": 16, "hidden": [12], "classes": 4, "lora": { "rank": 8, "alpha": 8 } }""", "job.rounds=3"],
            ran.Add,
            TestContext.Current.CancellationToken);

        Assert.Equal(["fedit", "ffa", "rolora", "fedsa", "hetlora", "flexlora", "flora"], rows.Select(row => row.Rule));
        Assert.Equal(rows.Select(row => row.Rule), ran);
        Assert.Equal(["fedit", "hetlora"], rows.Where(row => row.AveragingBias is > 0).Select(row => row.Rule));
        double both = rows.Single(row => row.Rule == "fedit").BytesUp;
        Assert.All(rows.Where(row => row.Rule is "ffa" or "rolora" or "hetlora" or "flora"), row => Assert.InRange(row.BytesUp, 1, 0.9 * both));
        Assert.All(rows, row => Assert.InRange(row.Accuracy!.Value, 0, 1));
    }
}
