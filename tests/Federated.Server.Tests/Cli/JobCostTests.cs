using Federated.Server.Cli;
using Federated.Server.Jobs;
using Federated.Shared.Models;

namespace Federated.Server.Tests.Cli;

/// <summary>What devices of a job send and fetch in a round, as it is told before the job runs.</summary>
public sealed class JobCostTests
{
    // Layers [8, 4] and [3, 8] of rank 2, with biases that stay frozen.
    private const int FactorsA = 2 * (4 + 8);
    private const int FactorsB = 2 * (8 + 3);
    private const int Adapted = (8 * 4) + (3 * 8);
    private const string Factors = """{ "builder": "mlp", "inputs": 4, "hidden": [8], "classes": 3, "lora": { "rank": 2 } }""";
    private const string Plain = """{ "builder": "mlp", "inputs": 4, "hidden": [8], "classes": 3 }""";

    [Theory]
    [InlineData("fedit", FactorsA + FactorsB, FactorsA + FactorsB, FactorsA + FactorsB)]
    [InlineData("ffa", FactorsB, FactorsB, FactorsA + FactorsB)]
    [InlineData("fedsa", FactorsA, FactorsA + FactorsB, FactorsA + FactorsB)]
    [InlineData("flora", FactorsA + FactorsB, FactorsA + FactorsB, FactorsA + FactorsB + Adapted)]
    [InlineData("hetlora", FactorsA + FactorsB, FactorsA + FactorsB, FactorsA + FactorsB)]
    public void Of_LoraRule_CountsWhatItSendsTrainsAndFetches(string rule, long sent, long trained, int fetched)
    {
        JobCost cost = JobCost.Of(Spec(Factors, $$""", "aggregation": { "lora": { "rule": "{{rule}}" } } """), 10);

        Assert.Equal((sent, trained, fetched), (cost.Work.SentCount, cost.Work.TrainedCount, cost.Package.Manifest.Layout.Length));
        Assert.Empty(cost.NotCounted);
    }

    // B in odd rounds, A in even ones: the larger is counted, and the smaller is told.
    [Fact]
    public void Of_FactorsInTurns_CountsTheLargerAndNamesTheSmaller()
    {
        JobCost cost = JobCost.Of(Spec(Factors), 10);

        Assert.Equal(FactorsA, cost.Work.SentCount);
        Assert.StartsWith($"some rounds send less, {FactorsB * 4} bytes at the least: aggregation.lora.rule = rolora", Assert.Single(cost.NotCounted), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_OneRoundOfFactorsInTurns_CountsThatRound()
    {
        JobCost cost = JobCost.Of(Spec(Factors, """, "rounds": 1 """), 10);

        Assert.Equal(FactorsB, cost.Work.SentCount);
        Assert.Empty(cost.NotCounted);
    }

    [Fact]
    public void Of_LayersThatJoin_CountsTheRoundWithAll()
    {
        JobCost cost = JobCost.Of(Spec(Factors, """, "rounds": 9, "aggregation": { "lora": { "rule": "fedit", "layers": { "everyRounds": 3 } } } """), 10);

        Assert.Equal(FactorsA + FactorsB, cost.Work.SentCount);
        Assert.StartsWith($"some rounds send less, {4 * 2 * (8 + 3)} bytes at the least: aggregation.lora.layers", Assert.Single(cost.NotCounted), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_RanksByDevice_AreNamed() => Assert.Equal(
        ["aggregation.lora.ranks: devices of a smaller rank send less"],
        JobCost.Of(Spec(Factors, """, "aggregation": { "lora": { "rule": "hetlora", "ranks": { "label": "profile", "values": { "small": 1 } } } } """), 10).NotCounted);

    [Theory]
    [InlineData(Plain)]
    [InlineData(Factors)]
    public void Of_Directions_SendTheirAmounts(string model)
    {
        JobCost cost = JobCost.Of(Spec(model, """, "training": { "directions": { "count": 16 } } """), 10);

        Assert.Equal((true, 16), (cost.Work.AlongDirections, cost.Work.SentCount));
        Assert.Empty(cost.NotCounted);
    }

    [Fact]
    public void Of_WholeUpdates_CountEverything()
    {
        JobCost cost = JobCost.Of(Spec(Plain), 10);

        Assert.Equal((false, null, null), (cost.Work.AlongDirections, cost.Work.SentCount, cost.Work.TrainedCount));
        Assert.Empty(cost.NotCounted);
    }

    [Fact]
    public void Of_RuleForAModelWithoutFactors_IsRefused() => Assert.Contains(
        "which has no LoRA factors",
        Assert.Throws<CommandException>(() => JobCost.Of(Spec(Plain, """, "aggregation": { "lora": { "rule": "flora" } } """), 10)).Message,
        StringComparison.Ordinal);

    private static JobSpec Spec(string model, string settings = "") => JobSpec.Parse($$"""{ "name": "p", "population": "p", "model": {{model}}{{settings}} }""");
}
