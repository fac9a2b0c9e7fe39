using Federated.Server.Jobs;
using Federated.Server.Privacy;
using Federated.Shared.Privacy;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Tests.Privacy;

public sealed class PrivacyCostTests
{
    private const int Parameters = 20_000;

    [Fact]
    public void RoundOf_Skellam_SizesTheNoiseForTheFewestInAGroup()
    {
        JobSpec spec = Spec("skellam", multiplier: 0.5, bits: 20);
        LinearRound round = LinearSettings.RoundOf(spec, 1, Parameters, 2, 16);
        LinearNoise noise = round.Noise!.Value;

        // Ten members: seven of them at least are in a sum that is opened.
        Assert.Equal(7, PrivacyCost.FewestInSum(spec));
        double norm = (2 / round.Step) + Math.Sqrt(round.PaddedLength);
        Assert.Equal(0.5 * norm, Math.Sqrt(7 * noise.Variance), 1e-6 * norm);
        Assert.Null(round.Problem());
        Assert.True(noise.CoordinateReach <= round.Limit / 2, $"{noise.CoordinateReach} of {round.Limit}");
        Assert.True(round.Step >= LinearSettings.RoundOf(Spec("gaussian", 0.5, 20), 1, Parameters, 2, 16).Step);
    }

    [Fact]
    public void Of_Skellam_CostsAtLeastWhatItsMultiplierWouldInGaussianNoise()
    {
        JobSpec spec = Spec("skellam", multiplier: 1, bits: 22);
        double skellam = PrivacyCost.Of(spec, LinearSettings.RoundOf(spec, 1, Parameters, 1, 16)).Spent(1e-5).Epsilon;
        double least = PrivacyCost.LeastOfOneRound(spec);
        Assert.InRange(skellam / least, 1, 1.2);
    }

    [Theory]
    [InlineData(2, 3.19)]
    [InlineData(4, 2.45)]
    [InlineData(8, 2.24)]
    public void LeastOfOneRound_CountIsTold_IsWhatARoundCosts(double multiplier, double expected)
    {
        JobSpec gaussian = Spec("gaussian", multiplier, 16, """, "clipQuantile": 0.5 """);
        Assert.Equal(expected, PrivacyCost.LeastOfOneRound(gaussian), 0.01);
        LinearRound round = LinearSettings.RoundOf(gaussian, 1, Parameters, 1, 16);
        Assert.Equal(PrivacyCost.Of(gaussian, round).Spent(1e-5).Epsilon, PrivacyCost.LeastOfOneRound(gaussian), 1e-12);

        // Devices' noise always covers a count.
        Assert.InRange(PrivacyCost.LeastOfOneRound(Spec("skellam", multiplier, 22)), expected, expected * 1.05);
        Assert.True(PrivacyCost.LeastOfOneRound(Spec("gaussian", multiplier, 16)) < 0.7 * expected);
    }

    [Fact]
    public void Of_ClipQuantile_CostsTheNoisyCountToo()
    {
        LinearRound round = LinearSettings.RoundOf(Spec("gaussian", 3, 16), 1, Parameters, 1, 16);
        double without = PrivacyCost.Of(Spec("gaussian", 3, 16), round).Spent(1e-5).Epsilon;
        double with = PrivacyCost.Of(Spec("gaussian", 3, 16, """, "clipQuantile": 0.5 """), round).Spent(1e-5).Epsilon;

        // Together as much as one mechanism of the multiplier (z⁻² + (2σ)⁻²)^(−1/2), σ = 1.
        RdpAccountant both = new();
        both.AddGaussian(1, 1 / Math.Sqrt((1 / 9.0) + (1 / 4.0)), 1);
        Assert.Equal(both.Spent(1e-5).Epsilon, with, 1e-9);
        Assert.True(with > without);
    }

    [Fact]
    public void RoundOf_SkellamInNarrowFields_IsRefusedWithTheWayOut()
    {
        InvalidSettingsException refused = Assert.Throws<InvalidSettingsException>(
            () => LinearSettings.RoundOf(Spec("skellam", multiplier: 1, bits: 10), 1, Parameters, 1, 16));
        Assert.Contains("update.valueBits: 10 with", refused.Message, StringComparison.Ordinal);
        Assert.Contains("more bits (at most 22)", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddTo_ManyCoordinates_HasTheDeviationOfTheMultiplier()
    {
        JobSpec spec = Spec("gaussian", multiplier: 2, bits: 16);
        LinearRound round = LinearSettings.RoundOf(spec, 1, Parameters, 1.5, 16);
        SharedIndexSet set = new JobIndexSets([]).SetOf(round, []);
        byte[] key = ServerNoise.CreateKey();
        float[] mean = new float[Parameters];
        LinearStatistics read = new ServerNoise(spec, key).AddTo(3, round, set, 10, mean, new LinearStatistics(10, 1, 5, 0));

        double expected = 2 * PrivacyCost.SensitivityOf(round) / 10 / round.SetSize * Parameters;
        double deviation = Math.Sqrt(mean.Sum(value => (double)value * value) / round.SetSize);
        Assert.InRange(PrivacyCost.SensitivityOf(round), 1.5, 1.6);
        Assert.InRange(deviation / expected, 0.96, 1.04);
        Assert.InRange(mean.Count(value => value != 0), round.SetSize - 5, round.SetSize);

        // Centred and bell-shaped: 4.55 % are beyond two deviations. Five standard errors.
        Assert.InRange(mean.Sum(value => (double)value) / deviation / Math.Sqrt(round.SetSize), -5, 5);
        double beyond = mean.Count(value => Math.Abs(value) > 2 * expected) / (double)round.SetSize;
        Assert.InRange(beyond, 0.0455 - (5 * Math.Sqrt(0.0455 / round.SetSize)), 0.0455 + (5 * Math.Sqrt(0.0455 / round.SetSize)));
        Assert.Equal((10L, 1.0), (read.Examples, read.WeightedLoss));

        // The same round again has the same noise; another round and another job have another.
        float[] again = new float[Parameters];
        Assert.Equal(read, new ServerNoise(spec, key).AddTo(3, round, set, 10, again, new LinearStatistics(10, 1, 5, 0)));
        Assert.Equal(mean, again);
        float[] next = new float[Parameters];
        new ServerNoise(spec, key).AddTo(4, round, set, 10, next, default);
        Assert.NotEqual(mean, next);
        float[] other = new float[Parameters];
        new ServerNoise(spec, ServerNoise.CreateKey()).AddTo(3, round, set, 10, other, default);
        Assert.NotEqual(mean, other);
    }

    /// <summary>The difference of two models of one round would be without noise otherwise.</summary>
    [Fact]
    public void AddTo_AnotherSumOfTheSameRound_HasNoiseOfItsOwn()
    {
        JobSpec spec = Spec("gaussian", multiplier: 2, bits: 16);
        LinearRound round = LinearSettings.RoundOf(spec, 1, Parameters, 1.5, 16);
        SharedIndexSet set = new JobIndexSets([]).SetOf(round, []);
        byte[] key = ServerNoise.CreateKey();
        float[] mean = new float[Parameters];
        float[] other = new float[Parameters];
        other[set.Indices.Indices[0]] = 0.001f;

        new ServerNoise(spec, key).AddTo(3, round, set, 10, mean, new LinearStatistics(10, 1, 5, 0));
        new ServerNoise(spec, key).AddTo(3, round, set, 10, other, new LinearStatistics(10, 1, 5, 0));

        Assert.InRange(mean.Zip(other).Count(pair => pair.First == pair.Second), Parameters - round.SetSize, Parameters - round.SetSize + 10);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(""", "clipQuantile": 0.5 """, false)]
    public void AddTo_CountOfUnclipped_HasNoiseOnlyWhereTheNormFollowsIt(string update, bool exact)
    {
        JobSpec spec = Spec("gaussian", multiplier: 2, bits: 16, update);
        spec = spec with { Privacy = spec.Privacy! with { ClipCountDeviation = 1e6 } };
        LinearRound round = LinearSettings.RoundOf(spec, 1, Parameters, 1.5, 16);
        SharedIndexSet set = new JobIndexSets([]).SetOf(round, []);

        LinearStatistics read = new ServerNoise(spec, ServerNoise.CreateKey()).AddTo(3, round, set, 10, new float[Parameters], new LinearStatistics(10, 1, 5, 0));

        Assert.Equal(exact, read.Unclipped == 5);
    }

    [Fact]
    public void Charge_Rounds_CountsTheBusiestDeviceAtTheDearestCost()
    {
        RdpAccountant cheap = new();
        cheap.AddGaussian(1, 4, 1);
        RdpAccountant dear = new();
        dear.AddGaussian(1, 3, 1);
        PrivacyLedger ledger = new();
        Assert.Equal(0, ledger.Epsilon(1e-5));
        ledger.Charge(["a", "b"], cheap);
        ledger.Charge(["b", "c"], dear);
        ledger.Charge(["b"], cheap);
        Assert.Equal(3, ledger.MostRounds());
        RdpAccountant three = new();
        three.AddGaussian(1, 3, 3);
        Assert.Equal(three.Spent(1e-5).Epsilon, ledger.Epsilon(1e-5), 1e-9);
        three.AddGaussian(1, 3, 1);
        Assert.Equal(three.Spent(1e-5).Epsilon, ledger.EpsilonAfterAnother(1e-5), 1e-9);

        // A cheaper one that is planned changes nothing, a dearer one makes what is expected dearer, and not what was spent.
        double spent = ledger.Epsilon(1e-5);
        ledger.Plan(cheap);
        Assert.Equal(three.Spent(1e-5).Epsilon, ledger.EpsilonAfterAnother(1e-5), 1e-9);
        RdpAccountant dearer = new();
        dearer.AddGaussian(1, 2, 1);
        ledger.Plan(dearer);
        RdpAccountant four = new();
        four.AddGaussian(1, 2, 4);
        Assert.Equal(four.Spent(1e-5).Epsilon, ledger.EpsilonAfterAnother(1e-5), 1e-9);
        Assert.Equal(spent, ledger.Epsilon(1e-5));
        Assert.Equal(ledger.EpsilonAfterAnother(1e-5), ledger.Copy().EpsilonAfterAnother(1e-5));
    }

    [Theory]
    [InlineData("update.codec", """{ "codec": "dense" }""", "{}", """{ "mechanism": "gaussian" }""", "update.codec: dense together with privacy")]
    [InlineData("example cap", """{ "codec": "linear", "valueBits": 16 }""", "{}", """{ "mechanism": "gaussian" }""", "update.exampleCap: 1000 together with privacy")]
    [InlineData("unmasked", """{ "codec": "linear", "exampleCap": 1, "valueBits": 20 }""", "{}", """{ "mechanism": "skellam" }""", "privacy.mechanism: skellam without aggregation.secure")]
    [InlineData("budget", """{ "codec": "linear", "exampleCap": 1, "valueBits": 16 }""", "{}", """{ "noiseMultiplier": 1, "epsilonBudget": 1 }""", "privacy.epsilonBudget: 1 with noiseMultiplier = 1: the first round spends")]
    [InlineData("budget and count", """{ "codec": "linear", "exampleCap": 1, "valueBits": 16, "clipQuantile": 0.9 }""", "{}", """{ "noiseMultiplier": 8, "epsilonBudget": 1 }""", "privacy.epsilonBudget: 1 with noiseMultiplier = 8 and clipCountDeviation = 1: the first round spends 2.2")]
    [InlineData("budget and devices' count", """{ "codec": "linear", "exampleCap": 1, "valueBits": 22 }""", """{ "secure": {} }""", """{ "mechanism": "skellam", "noiseMultiplier": 8, "epsilonBudget": 1 }""", "privacy.epsilonBudget: 1 with noiseMultiplier = 8 and clipCountDeviation = 1: the first round spends 2.")]
    public void Parse_WhatCannotBePrivate_IsRefusedWithBothSettings(string what, string update, string aggregation, string privacy, string problem)
    {
        Assert.NotEmpty(what);
        InvalidSettingsException refused = Assert.Throws<InvalidSettingsException>(() => JobSpec.Parse($$"""
            { "name": "p", "population": "p", "model": { "builder": "mlp" }, "update": {{update}}, "aggregation": {{aggregation}}, "privacy": {{privacy}} }
            """));
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
    }

    private static JobSpec Spec(string mechanism, double multiplier, int bits, string update = "") => JobSpec.Parse(FormattableString.Invariant($$"""
        {
          "name": "p", "population": "p", "model": { "builder": "mlp" },
          "cohort": { "goal": 12 },
          "update": { "codec": "linear", "density": 0.5, "exampleCap": 1, "valueBits": {{bits}}{{update}} },
          "aggregation": { "secure": { "minMembers": 10, "groupSize": 16 } },
          "privacy": { "mechanism": "{{mechanism}}", "noiseMultiplier": {{multiplier}} }
        }
        """));
}
