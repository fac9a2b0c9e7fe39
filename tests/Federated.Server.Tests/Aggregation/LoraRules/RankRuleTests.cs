using CsCheck;
using Federated.Server.Aggregation.LoraRules;
using Federated.Shared.Models;

namespace Federated.Server.Tests.Aggregation.LoraRules;

/// <summary>flora, flexlora and hetlora: cohorts of mixed ranks against the arithmetic written down plainly.</summary>
public sealed class RankRuleTests
{
    private static readonly Gen<int[]> _ranks = Gen.Int[1, LoraScene.FullRank].Array[1, 6];

    [Fact]
    public void Apply_FlexloraOfFullRank_ProductIsExactlyTheMeanProduct() => Gen.Select(Gen.ULong, Gen.Int[1, 3]).Sample((seed, rank) =>
    {
        // One client of rank 3, or three of rank 1: the mean product has at most the package's rank, so nothing is cut off.
        LoraScene scene = new(seed);
        ILoraRule rule = LoraRule.Create(LoraRuleKind.Flexlora, scene.Layout, false, seed);
        SceneClient[] clients = scene.Train(rule.Roles(1), [.. Enumerable.Repeat(rank, LoraScene.FullRank / rank)]);

        (float[] adapter, _) = scene.Run(rule, clients);

        double[] shares = SlowLora.ByExamples(clients);
        Assert.All(scene.Layout.Pairs, pair => Assert.Equal(
            0, SlowLora.Distance(SlowLora.MeanProduct(pair, clients, shares), SlowLora.Product(pair, adapter)), 1e-4));
        AssertPlainIsTheMean(scene, clients, adapter);
    }, iter: 60);

    [Fact]
    public void Apply_FlexloraOfAnyRanks_MissesTheMeanProductByTheCutOffValuesAlone() => Gen.Select(Gen.ULong, _ranks).Sample((seed, ranks) =>
    {
        LoraScene scene = new(seed);
        ILoraRule rule = LoraRule.Create(LoraRuleKind.Flexlora, scene.Layout, false, seed);
        SceneClient[] clients = scene.Train(rule.Roles(1), ranks);

        (float[] adapter, _) = scene.Run(rule, clients);

        double[] shares = SlowLora.ByExamples(clients);
        Assert.All(scene.Layout.Pairs, pair =>
        {
            double[,] mean = SlowLora.MeanProduct(pair, clients, shares);
            double cutOff = Math.Sqrt(SlowSvd.Values(mean).Skip(LoraScene.FullRank).Sum(value => value * value));
            Assert.Equal(cutOff, SlowLora.Distance(mean, SlowLora.Product(pair, adapter)), 1e-4);
        });
    }, iter: 60);

    [Fact]
    public void Apply_FlexloraCutToARank_IsTheBestApproximationOfThatRank() => Gen.Select(Gen.ULong, Gen.Int[1, LoraScene.FullRank]).Sample((seed, rank) =>
    {
        LoraScene scene = new(seed);
        ILoraRule rule = LoraRule.Create(LoraRuleKind.Flexlora, scene.Layout, false, seed);
        SceneClient[] clients = scene.Train(rule.Roles(1), 3, 2, 3);

        (float[] adapter, _) = scene.Run(rule, clients);
        scene.Layout.Truncate(adapter, rank);

        double[] shares = SlowLora.ByExamples(clients);
        Assert.All(scene.Layout.Pairs, pair =>
        {
            double[,] mean = SlowLora.MeanProduct(pair, clients, shares);
            double cutOff = Math.Sqrt(SlowSvd.Values(mean).Skip(rank).Sum(value => value * value));
            Assert.Equal(cutOff, SlowLora.Distance(mean, SlowLora.Product(pair, adapter)), 1e-4);
        });
    }, iter: 60);

    [Fact]
    public void Apply_FloraOfAnyRanks_AddsTheStackedProductToTheBaseAndBeginsWithFreshFactors() => Gen.Select(Gen.ULong, _ranks).Sample((seed, ranks) =>
    {
        LoraScene scene = new(seed, bases: true);
        ILoraRule rule = LoraRule.Create(LoraRuleKind.Flora, scene.Layout, false, seed);
        SceneClient[] clients = scene.Train(rule.Roles(1), ranks);

        (float[] adapter, _) = scene.Run(rule, clients);

        foreach (LoraPair pair in scene.Layout.Pairs)
        {
            double[,] stacked = SlowLora.StackedProduct(pair, clients, SlowLora.ByExamples(clients));
            for (int i = 0; i < pair.Outputs; i++)
            {
                for (int j = 0; j < pair.Inputs; j++)
                {
                    int place = pair.Base!.Offset + (pair.BaseInputsFirst ? (j * pair.Outputs) + i : (i * pair.Inputs) + j);
                    Assert.Equal(scene.Start[place] + stacked[i, j], adapter[place], 1e-4);
                }
            }

            Assert.All(adapter[pair.B.Offset..(pair.B.Offset + pair.B.Length)], value => Assert.Equal(0, value));
            Assert.All(adapter[pair.A.Offset..(pair.A.Offset + pair.A.Length)], value => Assert.InRange(Math.Abs(value), 1e-9, Math.Sqrt(1.0 / pair.Inputs)));
        }

        AssertPlainIsTheMean(scene, clients, adapter);
    }, iter: 60);

    [Fact]
    public void Create_FloraWithoutBaseWeights_Refuses() =>
        Assert.Throws<ArgumentException>(() => LoraRule.Create(LoraRuleKind.Flora, new LoraScene(1).Layout, false, 1));

    [Fact]
    public void Apply_Hetlora_AveragesPaddedFactorsByNormAndTellsTheBias() => Gen.Select(Gen.ULong, _ranks).Sample((seed, ranks) =>
    {
        LoraScene scene = new(seed);
        ILoraRule rule = LoraRule.Create(LoraRuleKind.Hetlora, scene.Layout, true, seed);
        SceneClient[] clients = scene.Train(rule.Roles(1), ranks);

        (float[] adapter, LoraOutcome outcome) = scene.Run(rule, clients);

        foreach (LoraPair pair in scene.Layout.Pairs)
        {
            double[] mean = SlowLora.Mean(clients, SlowLora.ByNorm(pair, clients));
            foreach (int i in Enumerable.Range(pair.A.Offset, pair.A.Length).Concat(Enumerable.Range(pair.B.Offset, pair.B.Length)))
            {
                Assert.Equal(mean[i], adapter[i], 1e-4);
            }
        }

        AssertPlainIsTheMean(scene, clients, adapter);
        Assert.Equal(SlowLora.Bias(scene.Layout, clients, pair => SlowLora.ByNorm(pair, clients)), outcome.AveragingBias!.Value, 1e-3);
    }, iter: 60);

    [Fact]
    public void Apply_HetloraOfClientsThatLearnedNothing_LeavesTheTargetsAsTheyAre()
    {
        LoraScene scene = new(3);
        foreach (LoraPair pair in scene.Layout.Pairs)
        {
            scene.Start.AsSpan(pair.B.Offset, pair.B.Length).Clear();
        }

        ILoraRule rule = LoraRule.Create(LoraRuleKind.Hetlora, scene.Layout, true, 1);

        (float[] adapter, LoraOutcome outcome) = scene.Run(rule, [new SceneClient(LoraScene.FullRank, 4, scene.Start)]);

        Assert.Equal(scene.Start, adapter);
        Assert.Equal(0, outcome.AveragingBias);
    }

    private static void AssertPlainIsTheMean(LoraScene scene, SceneClient[] clients, float[] adapter)
    {
        double[] mean = SlowLora.Mean(clients, SlowLora.ByExamples(clients));
        ParameterSpec bias = scene.Layout.Parameters.Parameters.Single(spec => spec.Name == "bias");
        Assert.All(Enumerable.Range(bias.Offset, bias.Length), i => Assert.Equal(mean[i], adapter[i], 2e-5));
    }
}
