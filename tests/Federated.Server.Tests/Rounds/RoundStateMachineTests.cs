using Federated.Server.Rounds;
using Federated.Shared.Models;

namespace Federated.Server.Tests.Rounds;

/// <summary>Every state of a round × every event. Goal 2, quorum 2, cohort a b c unless a test says otherwise.</summary>
public sealed class RoundStateMachineTests
{
    private static readonly ContentHash _content = ContentHash.Of("content"u8);
    private static readonly ContentHash _other = ContentHash.Of("other"u8);

    private static readonly string[] _devices = ["a", "b", "c"];

    private static RoundStateMachine Open(int goal = 2, int quorum = 2, params string[] cohort) =>
        new(new RoundSettings(goal, quorum, cohort.Length == 0 ? ["a", "b", "c"] : cohort));

    /// <summary>
    /// The states seen from device a: new, admitted, aborted, accepted in an open round; then closed by commit and by abandonment,
    /// each with a missing, given up or accepted.
    /// </summary>
    private static RoundStateMachine In(string state)
    {
        RoundStateMachine round = Open();
        switch (state)
        {
            case "new":
                break;
            case "admitted":
                round.Admit("a", _content);
                break;
            case "aborted":
                round.Aborted("a", "battery");
                break;
            case "accepted":
                round.Accepted("a", _content);
                break;
            case "committed":
                round.Accepted("b", _content);
                round.Accepted("c", _content);
                break;
            case "committed, a gave up":
                round.Aborted("a", "battery");
                round.Accepted("b", _content);
                round.Accepted("c", _content);
                break;
            case "committed, a accepted":
                round.Accepted("a", _content);
                round.Accepted("c", _content);
                break;
            case "abandoned":
                round.DeadlineReached();
                break;
            case "abandoned, a gave up":
                round.Aborted("a", "battery");
                round.DeadlineReached();
                break;
            case "abandoned, a accepted":
                round.Accepted("a", _content);
                round.DeadlineReached();
                break;
            case "cancelled":
                round.Cancel("stop");
                break;
            default:
                throw new ArgumentException(state);
        }

        return round;
    }

    // One row a state; per event: verdict or "-", then phase, accepted, dropped afterwards.
    private static readonly (string State, string[] After)[] _table =
    [
        ("new", ["Admit open 0 ", "Admit open 0 ", "NotSelected open 0 ", "- open 1 ", "- open 0 lost=1", "- abandon 0 deadline=3", "- abandon 0 "]),
        ("admitted", ["Admit open 0 ", "Admit open 0 ", "NotSelected open 0 ", "- open 1 ", "- open 0 lost=1", "- abandon 0 deadline=3", "- abandon 0 "]),
        ("aborted", ["Admit open 0 ", "Admit open 0 ", "NotSelected open 0 battery=1", "- open 1 ", "- open 0 battery=1", "- abandon 0 battery=1,deadline=2", "- abandon 0 battery=1"]),
        ("accepted", ["Duplicate open 1 ", "Conflict open 1 ", "NotSelected open 1 ", "- open 1 ", "- open 1 ", "- abandon 1 deadline=2", "- abandon 1 "]),
        ("committed", ["Late commit 2 ", "Late commit 2 ", "NotSelected commit 2 ", "- commit 3 ", "- commit 2 ", "- commit 2 ", "- commit 2 "]),
        ("committed, a gave up", ["Late commit 2 battery=1", "Late commit 2 battery=1", "NotSelected commit 2 battery=1", "- commit 3 ", "- commit 2 battery=1", "- commit 2 battery=1", "- commit 2 battery=1"]),
        ("committed, a accepted", ["Duplicate commit 2 ", "Conflict commit 2 ", "NotSelected commit 2 ", "- commit 2 ", "- commit 2 ", "- commit 2 ", "- commit 2 "]),
        ("abandoned", ["Abandoned abandon 0 deadline=3", "Abandoned abandon 0 deadline=3", "NotSelected abandon 0 deadline=3", "- abandon 0 deadline=3", "- abandon 0 deadline=3", "- abandon 0 deadline=3", "- abandon 0 deadline=3"]),
        ("abandoned, a gave up", ["Abandoned abandon 0 battery=1,deadline=2", "Abandoned abandon 0 battery=1,deadline=2", "NotSelected abandon 0 battery=1,deadline=2", "- abandon 0 battery=1,deadline=2", "- abandon 0 battery=1,deadline=2", "- abandon 0 battery=1,deadline=2", "- abandon 0 battery=1,deadline=2"]),
        ("abandoned, a accepted", ["Duplicate abandon 1 deadline=2", "Conflict abandon 1 deadline=2", "NotSelected abandon 1 deadline=2", "- abandon 1 deadline=2", "- abandon 1 deadline=2", "- abandon 1 deadline=2", "- abandon 1 deadline=2"]),
        ("cancelled", ["Abandoned abandon 0 ", "Abandoned abandon 0 ", "NotSelected abandon 0 ", "- abandon 0 ", "- abandon 0 ", "- abandon 0 ", "- abandon 0 "]),
    ];

    private static readonly (string Name, Func<RoundStateMachine, SubmissionVerdict?> Happens)[] _events =
    [
        ("submits", round => round.Admit("a", _content)),
        ("submits other content", round => round.Admit("a", _other)),
        ("stranger submits", round => round.Admit("x", _content)),
        ("is accepted", round => Nothing(() => round.Accepted("a", _content))),
        ("aborts", round => Nothing(() => round.Aborted("a", "lost"))),
        ("deadline", round => Nothing(round.DeadlineReached)),
        ("cancel", round => Nothing(() => round.Cancel("stop"))),
    ];

    public static TheoryData<string, int> Transitions
    {
        get
        {
            TheoryData<string, int> data = [];
            foreach ((string state, _) in _table)
            {
                for (int i = 0; i < _events.Length; i++)
                {
                    data.Add(state, i);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Transitions))]
    public void AnyEvent_InAnyState_HasTheTabledEffect(string state, int index)
    {
        string expected = _table.Single(row => row.State == state).After[index];
        RoundStateMachine round = In(state);
        Assert.Equal(expected, Describe(round, _events[index].Happens(round)));

        // Every event is idempotent in its effect.
        RoundDecision? decision = round.Decision;
        Assert.Equal(expected, Describe(round, _events[index].Happens(round)));
        Assert.Equal(decision, round.Decision);
    }

    /// <summary>
    /// What a round that went down does: it is opened again, and the contributors of the stored sums are accepted anew. A round that had been abandoned
    /// does not come back.
    /// </summary>
    [Theory]
    [MemberData(nameof(Transitions))]
    public void Accepted_ContributorsReplayed_GiveTheRoundAgain(string state, int index)
    {
        RoundStateMachine before = In(state);
        if (before.Decision is RoundDecision.Abandon)
        {
            return;
        }

        RoundStateMachine replayed = Open();
        foreach (string device in _devices.Where(device => IsAccepted(before, device)))
        {
            replayed.Accepted(device, _content);
        }

        Assert.Equal(before.Decision, replayed.Decision);
        Assert.All(_devices, device => Assert.Equal(before.Judge(device, _content), replayed.Judge(device, _content)));
        Assert.Equal(_events[index].Happens(before), _events[index].Happens(replayed));
        Assert.Equal(before.Decision?.GetType(), replayed.Decision?.GetType());
        Assert.Equal(_devices.Where(device => IsAccepted(before, device)), _devices.Where(device => IsAccepted(replayed, device)));
    }

    [Fact]
    public void Accepted_AtTheGoal_Commits()
    {
        RoundStateMachine round = Open();
        round.Accepted("a", _content);
        Assert.Null(round.Decision);
        round.Accepted("c", _content);
        Assert.Equal(new RoundDecision.Commit(), round.Decision);
        Assert.Equal(["a", "c"], _devices.Where(device => IsAccepted(round, device)));
    }

    [Fact]
    public void Aborted_LastOneAccountedForWithQuorum_CommitsBelowTheGoal()
    {
        RoundStateMachine round = Open(3, 2);
        round.Accepted("a", _content);
        round.Accepted("b", _content);
        round.Aborted("c", "battery");
        Assert.IsType<RoundDecision.Commit>(round.Decision);
    }

    [Fact]
    public void Accepted_LastOneAccountedForWithQuorum_CommitsBelowTheGoal()
    {
        RoundStateMachine round = Open(3, 2);
        round.Aborted("c", "battery");
        round.Accepted("a", _content);
        round.Accepted("b", _content);
        Assert.IsType<RoundDecision.Commit>(round.Decision);
    }

    [Fact]
    public void Aborted_LastOneAccountedForWithoutQuorum_AbandonsWithTheNumbers()
    {
        RoundStateMachine round = Open();
        round.Accepted("a", _content);
        round.Aborted("b", "battery");
        round.Aborted("c", "disk");
        Assert.Equal(
            new RoundDecision.Abandon("all 3 selected devices are accounted for: 1 accepted, 2 gave up, the quorum is 2"), round.Decision);
    }

    /// <summary>Six devices of which five are needed; the reached rounds of those that are ahead.</summary>
    [Theory]
    [InlineData("60 60 60 60 60 60", 60)]
    [InlineData("60 58 55", 55)]
    [InlineData("9223372036854775807 58 55 52", 55)]
    [InlineData("9223372036854775807 9223372036854775807 55", 55)]
    [InlineData("9223372036854775807 60", 0)]
    public void Ahead_Abandoned_ReachedIsWhatMoreThanAThirdSay(string told, long reached)
    {
        string[] cohort = ["a", "b", "c", "d", "e", "f"];
        RoundStateMachine round = Open(5, 5, cohort);
        long[] rounds = [.. told.Split(' ').Select(long.Parse)];
        for (int i = 0; i < rounds.Length; i++)
        {
            round.Ahead(cohort[i], rounds[i]);
        }

        round.DeadlineReached();

        Assert.Equal(reached, round.ReachedRound);
        Assert.Equal(rounds.Length, round.Dropped[RoundStateMachine.AheadReason]);
        Assert.Contains($"({rounds.Length} have been in later rounds than the store knows of)", Assert.IsType<RoundDecision.Abandon>(round.Decision).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Ahead_QuorumWithoutThem_CommitsAndReachesNothing()
    {
        RoundStateMachine round = Open(2, 1);
        round.Ahead("a", 60);
        round.Ahead("b", 60);
        round.Accepted("c", _content);

        Assert.IsType<RoundDecision.Commit>(round.Decision);
        Assert.Equal((0, false), (round.ReachedRound, round.IsOvertaken));
    }

    [Fact]
    public void Ahead_StrangerOrAcceptedOrGivenUp_SaysNothing()
    {
        RoundStateMachine round = Open();
        round.Accepted("a", _content);
        round.Aborted("b", "battery");
        round.Ahead("a", 60);
        round.Ahead("b", 60);
        round.Ahead("x", 60);
        round.DeadlineReached();

        Assert.Equal((0, false), (round.ReachedRound, round.IsOvertaken));
        Assert.Equal(["battery", RoundStateMachine.DeadlineReason], round.Dropped.Keys);
    }

    /// <summary>Of three devices two are needed.</summary>
    [Theory]
    [InlineData(RoundStateMachine.AheadReason, RoundStateMachine.AheadReason, true)]
    [InlineData(RoundStateMachine.AheadReason, RoundStateMachine.GroupAbandonedReason, true)]
    [InlineData(RoundStateMachine.AheadReason, "training-failed", true)]
    [InlineData("training-failed", "training-failed", false)]
    public void IsOvertaken_Abandoned_IsSoWhereTheOthersAloneWouldHaveBeenEnough(string second, string third, bool overtaken)
    {
        RoundStateMachine round = Open();
        round.Ahead("a", 60);
        foreach ((string device, string reason) in new[] { ("b", second), ("c", third) })
        {
            if (reason == RoundStateMachine.AheadReason)
            {
                round.Ahead(device, 60);
            }
            else
            {
                round.Aborted(device, reason);
            }
        }

        Assert.IsType<RoundDecision.Abandon>(round.Decision);
        Assert.Equal(overtaken, round.IsOvertaken);
    }

    [Fact]
    public void DeadlineReached_WithQuorum_CommitsAndCountsTheMissing()
    {
        RoundStateMachine round = Open(3, 2, "a", "b", "c", "d");
        round.Accepted("a", _content);
        round.Accepted("b", _content);
        round.Aborted("c", "battery");
        round.DeadlineReached();
        Assert.IsType<RoundDecision.Commit>(round.Decision);
        Assert.Equal([new("battery", 1), new("deadline", 1)], round.Dropped);
    }

    [Fact]
    public void DeadlineReached_WithoutQuorum_AbandonsWithTheNumbers()
    {
        RoundStateMachine round = Open();
        round.Accepted("a", _content);
        round.Aborted("b", "battery");
        round.DeadlineReached();
        Assert.Equal(
            new RoundDecision.Abandon("at the deadline 1 of 3 selected devices had been accepted, the quorum is 2: 1 gave up, 1 had not reported"),
            round.Decision);
    }

    [Fact]
    public void Admit_AfterAbort_KeepsTheRoundOpenForTheUpdateUnderWay()
    {
        RoundStateMachine round = Open(3, 2);
        round.Aborted("a", "battery");
        Assert.Equal(SubmissionVerdict.Admit, round.Admit("a", _content));
        round.Accepted("b", _content);
        round.Accepted("c", _content);
        Assert.Null(round.Decision);
        round.Accepted("a", _content);
        Assert.All(_devices, device => Assert.True(IsAccepted(round, device), device));
        Assert.IsType<RoundDecision.Commit>(round.Decision);
    }

    [Fact]
    public void Open_CohortBelowTheQuorum_IsAbandonedAtOnce() =>
        Assert.Equal(new RoundDecision.Abandon("1 devices were selected, the quorum is 2"), Open(2, 2, "a").Decision);

    [Fact]
    public void Accepted_Stranger_IsAnError() => Assert.Throws<ArgumentException>(() => Open().Accepted("x", _content));

    [Fact]
    public void Accepted_OtherContentTwice_IsAnError() => Assert.Throws<InvalidOperationException>(() => In("accepted").Accepted("a", _other));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 0)]
    [InlineData(2, 3)]
    public void Open_ImpossibleNumbers_AreRefused(int goal, int quorum) => Assert.Throws<ArgumentException>(() => Open(goal, quorum));

    [Fact]
    public void Open_DeviceTwice_IsRefused() => Assert.Throws<ArgumentException>(() => Open(1, 1, "a", "a"));

    // An accepted device is told so whatever it sends.
    private static bool IsAccepted(RoundStateMachine round, string device) =>
        round.Judge(device, _other) is SubmissionVerdict.Duplicate or SubmissionVerdict.Conflict;

    private static SubmissionVerdict? Nothing(Action action)
    {
        action();
        return null;
    }

    private static string Describe(RoundStateMachine round, SubmissionVerdict? verdict)
    {
        string phase = round.Decision switch
        {
            null => "open",
            RoundDecision.Commit => "commit",
            _ => "abandon",
        };
        return $"{verdict?.ToString() ?? "-"} {phase} {_devices.Count(device => IsAccepted(round, device))} {string.Join(',', round.Dropped.Select(pair => $"{pair.Key}={pair.Value}"))}";
    }
}
