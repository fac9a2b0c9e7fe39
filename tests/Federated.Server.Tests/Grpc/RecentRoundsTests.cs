using System.Collections.Frozen;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Grains;
using Federated.Server.Grpc;
using Federated.Server.Tests.Aggregation.LoraRules;

namespace Federated.Server.Tests.Grpc;

public sealed class RecentRoundsTests
{
    private readonly RecentRounds _rounds = new();
    private readonly LoraScene _scene = new(seed: 1, bases: true);

    [Fact]
    public void Keep_NextRoundWithTheAdapterInItsFacts_LetsGoOfTheJobsEarlierRoundsAlone()
    {
        foreach ((string job, long round) in new[] { ("a", 1L), ("b", 1), ("a", 2), ("a", 3) })
        {
            _rounds.Keep(Flora(job, round));
        }

        Assert.Null(_rounds.Find("a", 1));
        Assert.Null(_rounds.Find("a", 2));
        Assert.NotNull(_rounds.Find("a", 3));
        Assert.NotNull(_rounds.Find("b", 1));
    }

    [Fact]
    public void Keep_RoundOfAStraggler_StaysBesideTheCurrentOne()
    {
        RoundFacts current = _rounds.Keep(Flora("a", 2));
        RoundFacts earlier = _rounds.Keep(Flora("a", 1));

        Assert.Same(current, _rounds.Find("a", 2));
        Assert.Same(earlier, _rounds.Find("a", 1));
    }

    [Fact]
    public void Keep_NextRoundWithoutTheAdapter_KeepsTheEarlierOnes()
    {
        _rounds.Keep(Plain("a", 1));
        _rounds.Keep(Plain("a", 2));

        Assert.NotNull(_rounds.Find("a", 1));
        Assert.NotNull(_rounds.Find("a", 2));
    }

    [Fact]
    public void Keep_MoreThanTheMost_LetsGoOfTheOldest()
    {
        for (int round = 1; round <= RecentRounds.MaxRounds + 1; round++)
        {
            _rounds.Keep(Plain("a", round));
        }

        Assert.Null(_rounds.Find("a", 1));
        Assert.NotNull(_rounds.Find("a", 2));
        Assert.NotNull(_rounds.Find("a", RecentRounds.MaxRounds + 1));
    }

    [Fact]
    public void Keep_RoundThatIsThere_GivesWhatWasKept()
    {
        RoundFacts first = _rounds.Keep(Flora("a", 1));

        Assert.Same(first, _rounds.Keep(Flora("a", 1)));
        Assert.Same(first, _rounds.Find("a", 1));
    }

    [Fact]
    public async Task FindOrMake_AskedForByManyAtOnce_IsMadeOnce()
    {
        TaskCompletionSource<RoundFacts?> made = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int makings = 0;
        Task<RoundFacts?>[] askers = [.. Enumerable.Range(0, 5).Select(_ => _rounds.FindOrMakeAsync("a", 1, MakeAsync).AsTask())];
        RoundFacts facts = Flora("a", 1);
        made.SetResult(facts);

        Assert.All(await Task.WhenAll(askers), found => Assert.Same(facts, found));
        Assert.Same(facts, await _rounds.FindOrMakeAsync("a", 1, MakeAsync));
        Assert.Equal(1, makings);

        Task<RoundFacts?> MakeAsync()
        {
            makings++;
            return made.Task;
        }
    }

    [Fact]
    public async Task FindOrMake_FailedOrNoSuchRound_IsTriedAgainByTheNext()
    {
        await Assert.ThrowsAsync<IOException>(async () => await _rounds.FindOrMakeAsync("a", 1, () => throw new IOException("the store is away")));
        Assert.Null(await _rounds.FindOrMakeAsync("a", 1, () => Task.FromResult<RoundFacts?>(null)));

        RoundFacts facts = Flora("a", 1);
        Assert.Same(facts, await _rounds.FindOrMakeAsync("a", 1, () => Task.FromResult<RoundFacts?>(facts)));
    }

    private RoundFacts Flora(string job, long round) => Facts(
        job, round, new LoraUpdates(LoraRule.Create(LoraRuleKind.Flora, _scene.Layout, reportsBias: false, seed: 1), _scene.Layout, round, [], _scene.Start));

    private static RoundFacts Plain(string job, long round) => Facts(job, round, null);

    private static RoundFacts Facts(string job, long round, LoraUpdates? lora) => new(
        new RoundStart
        {
            JobId = job,
            Round = round,
            Population = "p",
            ModelVersion = round - 1,
            ParameterCount = 1,
            MaxUpdateBytes = 1,
            Goal = 1,
            Quorum = 1,
            Cohort = [],
            Plan = [],
            Deadline = default,
            StartedAt = default,
            SelectSeconds = 0,
        },
        FrozenSet<string>.Empty,
        null,
        lora,
        null);
}
