using Federated.Server.Grains;
using Federated.Server.Jobs;
using Federated.Server.Privacy;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Tests.Grains;

public sealed class JobEndingTests
{
    private const double Delta = 1e-5;

    [Theory]
    [InlineData("gaussian", """, "clipQuantile": 0.9 """)]
    [InlineData("skellam", "")]
    public void Precedes_FirstRound_IsComparedWithAllThatItCosts(string mechanism, string update)
    {
        LinearRound round = RoundOf(Spec(mechanism, update, 100), 1_000);
        double cost = PrivacyCost.Of(Spec(mechanism, update, 100), round).Spent(Delta).Epsilon;
        JobGrainState state = new() { Privacy = new PrivacyLedger() };

        JobSpec spec = Spec(mechanism, update, cost - 1e-6);
        Assert.True(JobEnding.Precedes(spec, state, round));
        Assert.Equal(JobState.Completed, JobEnding.Of(spec, state)!.Value.State);
        Assert.StartsWith("privacy budget reached in round 0: ε = 0.000", JobEnding.Of(spec, state)!.Value.Reason, StringComparison.Ordinal);

        JobSpec enough = Spec(mechanism, update, cost + 1e-6);
        Assert.False(JobEnding.Precedes(enough, state, round));
        Assert.Null(JobEnding.Of(enough, state));
    }

    [Fact]
    public void Precedes_RoundDearerThanAllBefore_IsNotTakenForOneOfThose()
    {
        JobSpec spec = Spec("skellam", "", 100);
        LinearRound cheap = RoundOf(spec, 1_000);
        LinearRound dear = cheap with { Noise = cheap.Noise!.Value with { Variance = cheap.Noise.Value.Variance / 2 } };
        JobGrainState state = new() { LastRound = 1, Privacy = new PrivacyLedger() };
        state.Privacy.Charge(["a", "b"], PrivacyCost.Of(spec, cheap));
        double expected = state.Privacy.EpsilonAfterAnother(Delta);
        PrivacyLedger after = state.Privacy.Copy();
        after.Charge(["a", "b"], PrivacyCost.Of(spec, dear));
        Assert.InRange(after.Epsilon(Delta), expected + 1e-6, 100);

        JobSpec between = Spec("skellam", "", (expected + after.Epsilon(Delta)) / 2);
        Assert.Null(JobEnding.Of(between, state));
        Assert.False(JobEnding.Precedes(between, state, cheap));
        Assert.True(JobEnding.Precedes(between, state, dear));
        Assert.NotNull(JobEnding.Of(between, state));
    }

    [Fact]
    public void Precedes_WithoutPrivacy_IsFalse()
    {
        JobSpec spec = JobSpec.Parse("""{ "name": "p", "population": "p", "model": { "builder": "mlp" } }""");
        Assert.False(JobEnding.Precedes(spec, new JobGrainState(), null));
    }

    [Fact]
    public void Of_LastRoundWithoutAnyCommitted_IsFailedWithItsReason()
    {
        JobSpec spec = JobSpec.Parse("""{ "name": "p", "population": "p", "rounds": 2, "model": { "builder": "mlp" } }""");
        JobGrainState state = new() { LastRound = 2, AbandonedInARow = 2, AbandonReason = "0 of 1 updates came" };

        Assert.Equal((JobState.Failed, "no round was committed; round 2 was abandoned: 0 of 1 updates came"), JobEnding.Of(spec, state));

        state.ModelVersion = 1;
        Assert.Equal((JobState.Completed, "all 2 rounds done"), JobEnding.Of(spec, state));
    }

    [Fact]
    public void Of_RoundsWerePassedOver_EndsAfterAsManyAsTheJobHas()
    {
        JobSpec spec = JobSpec.Parse("""{ "name": "p", "population": "p", "rounds": 2, "model": { "builder": "mlp" } }""");
        JobGrainState state = new() { ModelVersion = 1 };
        state.Ended(1);
        state.ReachedRound = 8;
        Assert.Equal(9, state.NextRound);
        JobStatus jumping = state.ToStatus("job-1", spec);
        Assert.Equal((1, 9, 7, 9), (jumping.Round, jumping.NextRound, jumping.SkippedRounds, jumping.MaxRounds));
        Assert.Null(JobEnding.Of(spec, state));

        state.Ended(9);

        Assert.Equal((10, 7, 9), (state.NextRound, state.SkippedRounds, state.ToStatus("job-1", spec).MaxRounds));
        Assert.Equal([new RoundGap(2, 8)], state.Gaps);
        Assert.Equal((JobState.Completed, "all 2 rounds done"), JobEnding.Of(spec, state));
    }

    private static LinearRound RoundOf(JobSpec spec, int parameters) => LinearSettings.RoundOf(spec, 1, parameters, 1, 12);

    /// <summary>The budget is not compared with what a submission would be refused for.</summary>
    private static JobSpec Spec(string mechanism, string update, double budget)
    {
        JobSpec spec = Spec(mechanism, update);
        return spec with { Privacy = spec.Privacy! with { EpsilonBudget = budget } };
    }

    private static JobSpec Spec(string mechanism, string update) => JobSpec.Parse($$"""
        {
          "name": "p", "population": "p", "model": { "builder": "mlp" },
          "cohort": { "goal": 12, "overSelection": 1 },
          "update": { "codec": "linear", "density": 1, "exampleCap": 1, "valueBits": 22{{update}} },
          "aggregation": { "secure": { "minMembers": 9 } },
          "privacy": { "mechanism": "{{mechanism}}", "noiseMultiplier": 3 }
        }
        """);
}
