using System.Collections.Immutable;
using CsCheck;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Aggregation.ServerOptimizers;
using Federated.Shared.Models;

namespace Federated.Server.Tests.Aggregation.LoraRules;

/// <summary>fedit, ffa, rolora and fedsa: what is sent is averaged as it is; what is exact about it and what is not.</summary>
public sealed class FactorMeanRuleTests
{
    private const double Close = 2e-5;

    [Theory]
    [InlineData(LoraRuleKind.Fedit, 1)]
    [InlineData(LoraRuleKind.Ffa, 1)]
    [InlineData(LoraRuleKind.Rolora, 1)]
    [InlineData(LoraRuleKind.Rolora, 2)]
    [InlineData(LoraRuleKind.Fedsa, 1)]
    public void Apply_PlainAveraging_GivesTheMeanOfWhatIsSentAndLeavesTheRest(LoraRuleKind kind, long round) =>
        Gen.Select(Gen.ULong, Gen.Int[1, 6]).Sample((seed, count) =>
        {
            LoraScene scene = new(seed);
            ILoraRule rule = LoraRule.Create(kind, scene.Layout, false, seed);
            ImmutableArray<ParameterRole> roles = rule.Roles(round);
            SceneClient[] clients = scene.Train(roles, [.. Enumerable.Repeat(LoraScene.FullRank, count)]);

            (float[] adapter, LoraOutcome outcome) = scene.Run(rule, clients, round);

            double[] mean = SlowLora.Mean(clients, SlowLora.ByExamples(clients));
            for (int t = 0; t < roles.Length; t++)
            {
                ParameterSpec spec = scene.Layout.Parameters.Parameters[t];
                for (int i = spec.Offset; i < spec.Offset + spec.Length; i++)
                {
                    Assert.Equal(roles[t] == ParameterRole.Sent ? mean[i] : scene.Start[i], adapter[i], Close);
                }
            }

            Assert.True(rule.SumsUpdatesAsSent);
            Assert.Null(outcome.AveragingBias);
        }, iter: 60);

    [Theory]
    [InlineData(LoraRuleKind.Ffa, 1)]
    [InlineData(LoraRuleKind.Rolora, 1)]
    [InlineData(LoraRuleKind.Rolora, 2)]
    public void Apply_OneFactorFrozen_ProductIsExactlyTheMeanProduct(LoraRuleKind kind, long round) =>
        Gen.Select(Gen.ULong, Gen.Int[2, 6]).Sample((seed, count) =>
        {
            LoraScene scene = new(seed);
            ILoraRule rule = LoraRule.Create(kind, scene.Layout, false, seed);
            SceneClient[] clients = scene.Train(rule.Roles(round), [.. Enumerable.Repeat(LoraScene.FullRank, count)]);

            (float[] adapter, _) = scene.Run(rule, clients, round);

            Assert.All(scene.Layout.Pairs, pair => Assert.Equal(
                0, SlowLora.Distance(SlowLora.MeanProduct(pair, clients, SlowLora.ByExamples(clients)), SlowLora.Product(pair, adapter)), 1e-4));
        }, iter: 60);

    [Fact]
    public void Apply_Fedit_BiasIsThatOfItsDefinition() => Gen.Select(Gen.ULong, Gen.Int[1, 6]).Sample((seed, count) =>
    {
        LoraScene scene = new(seed);
        ILoraRule rule = LoraRule.Create(LoraRuleKind.Fedit, scene.Layout, true, seed);
        SceneClient[] clients = scene.Train(rule.Roles(1), [.. Enumerable.Repeat(LoraScene.FullRank, count)]);

        (float[] adapter, LoraOutcome outcome) = scene.Run(rule, clients);
        (float[] without, _) = scene.Run(LoraRule.Create(LoraRuleKind.Fedit, scene.Layout, false, seed), clients);

        double expected = SlowLora.Bias(scene.Layout, clients, _ => SlowLora.ByExamples(clients));
        Assert.Equal(expected, outcome.AveragingBias!.Value, 1e-4);
        Assert.True(count == 1 ? expected < 1e-6 : expected > 1e-4);
        Assert.Equal(without, adapter);
    }, iter: 60);

    [Fact]
    public void Roles_Rolora_AlternateAndBeginWithB()
    {
        LoraScene scene = new(1);
        ILoraRule rule = LoraRule.Create(LoraRuleKind.Rolora, scene.Layout, false, 1);

        Assert.Equal([ParameterRole.Frozen, ParameterRole.Sent, ParameterRole.Sent, ParameterRole.Sent, ParameterRole.Frozen], rule.Roles(1));
        Assert.Equal([ParameterRole.Sent, ParameterRole.Frozen, ParameterRole.Sent, ParameterRole.Frozen, ParameterRole.Sent], rule.Roles(2));
        Assert.Equal(7 + 12 + 9, rule.SumLength(1));
        Assert.Equal(7 + 15 + 18, rule.SumLength(2));
    }

    [Fact]
    public void Roles_Fedsa_KeepsBOnTheDevice()
    {
        LoraScene scene = new(1);

        Assert.Equal(
            [ParameterRole.Sent, ParameterRole.Kept, ParameterRole.Sent, ParameterRole.Kept, ParameterRole.Sent],
            LoraRule.Create(LoraRuleKind.Fedsa, scene.Layout, false, 1).Roles(1));
    }

    [Fact]
    public void Apply_RoloraWithServerMomentum_DoesNotMoveTheFrozenFactor()
    {
        LoraScene scene = new(5);
        ILoraRule rule = LoraRule.Create(LoraRuleKind.Rolora, scene.Layout, false, 1);
        FedAvgM momentum = new(1, 0.9f);
        float[][] slots = momentum.CreateSlots(scene.Layout.Parameters.Length);
        slots[0].AsSpan().Fill(0.5f);
        SceneClient[] clients = scene.Train(rule.Roles(1), LoraScene.FullRank, LoraScene.FullRank);

        (float[] adapter, _) = scene.Run(rule, clients, 1, new ServerOptimizerStep(momentum, slots));

        LoraPair one = scene.Layout.Pairs[0];
        Assert.Equal(scene.Start.AsSpan(one.A.Offset, one.A.Length), adapter.AsSpan(one.A.Offset, one.A.Length));
        Assert.All(slots[0][one.A.Offset..(one.A.Offset + one.A.Length)], slot => Assert.Equal(0.5f, slot));
        Assert.NotEqual(scene.Start[one.B.Offset], adapter[one.B.Offset]);
        Assert.NotEqual(0.5f, slots[0][one.B.Offset]);
    }
}
