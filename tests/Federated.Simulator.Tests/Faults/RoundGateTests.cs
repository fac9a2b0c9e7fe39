using CsCheck;
using Federated.Simulator.Faults;

namespace Federated.Simulator.Tests.Faults;

public sealed class RoundGateTests
{
    [Fact]
    public void Admits_CohortEqualsGoal_NeverWaits()
    {
        RoundGate gate = new(cohortSize: 2, goal: 2);
        gate.Assign("a", Seconds(9));
        Assert.True(gate.Admits("a"));
    }

    [Fact]
    public void Admits_CohortNotComplete_Waits()
    {
        RoundGate gate = new(cohortSize: 3, goal: 1);
        gate.Assign("a", Seconds(1));
        gate.Assign("b", Seconds(2));
        Assert.False(gate.Admits("a"));
        gate.Assign("c", Seconds(3));
        Assert.True(gate.Admits("a"));
        Assert.False(gate.Admits("b"));
    }

    [Fact]
    public void Admits_EqualTimes_RanksByName()
    {
        RoundGate gate = new(cohortSize: 2, goal: 1);
        gate.Assign("b", Seconds(1));
        gate.Assign("a", Seconds(1));
        Assert.True(gate.Admits("a"));
        Assert.False(gate.Admits("b"));
    }

    [Fact]
    public void Admits_DroppedDevice_LeavesItsPlaceToTheNext()
    {
        RoundGate gate = new(cohortSize: 3, goal: 2);
        gate.AssignLost("a", announced: false);
        gate.Assign("b", Seconds(2));
        gate.Assign("c", Seconds(3));
        Assert.True(gate.Admits("b"));
        Assert.True(gate.Admits("c"));
    }

    [Fact]
    public void Admits_LossNotYetAnnounced_WaitsForIt()
    {
        RoundGate gate = new(cohortSize: 2, goal: 1);
        gate.Assign("a", Seconds(1));
        gate.AssignLost("b", announced: true);
        Assert.False(gate.Admits("a"));
        gate.End("b", acknowledged: false);
        Assert.True(gate.Admits("a"));
    }

    [Fact]
    public void End_FailedSurvivor_AdmitsTheNext()
    {
        RoundGate gate = new(cohortSize: 3, goal: 1);
        gate.Assign("a", Seconds(1));
        gate.Assign("b", Seconds(2));
        gate.Assign("c", Seconds(3));
        gate.End("a", acknowledged: false);
        Assert.True(gate.Admits("b"));
        Assert.False(gate.Admits("c"));
    }

    [Fact]
    public void End_GoalAcknowledged_AdmitsTheLateOnes()
    {
        RoundGate gate = new(cohortSize: 3, goal: 2);
        gate.Assign("a", Seconds(1));
        gate.Assign("b", Seconds(2));
        gate.Assign("c", Seconds(3));
        gate.End("b", acknowledged: true);
        Assert.False(gate.Admits("c"));
        gate.End("a", acknowledged: true);
        Assert.True(gate.Admits("c"));
        Assert.False(gate.IsOver);
        gate.End("c", acknowledged: false);
        Assert.True(gate.IsOver);
    }

    [Fact]
    public void End_UnknownOrEndedTwice_ChangesNothing()
    {
        RoundGate gate = new(cohortSize: 2, goal: 1);
        gate.End("x", acknowledged: true);
        gate.Assign("a", Seconds(1));
        gate.Assign("b", Seconds(2));
        Assert.False(gate.Admits("b"));
        gate.End("b", acknowledged: false);
        gate.End("b", acknowledged: true);
        Assert.False(gate.IsOver);
    }

    // Whatever the order of assignments, of training ends and of acknowledgements: the accepted are the goal quickest survivors.
    [Fact]
    public void Run_EveryOrdering_AcceptsTheQuickestSurvivors() =>
        Gen.Select(Gen.Int[1, 6].SelectMany(n => Gen.Select(Gen.Int[0, 3].Array[n], Gen.Bool.Array[n])), Gen.Int[1, 6], Gen.ULong).Sample((c, goal, seed) =>
        {
            (int[] times, bool[] dropped) = c;
            int n = times.Length;
            goal = Math.Min(goal, n);
            string[] names = [.. Enumerable.Range(0, n).Select(i => $"d{i}")];
            string[] expected = [.. Enumerable.Range(0, n).Where(i => !dropped[i]).OrderBy(i => times[i]).ThenBy(i => i).Take(goal).Select(i => names[i]).Order()];
            Shared.Randomness.SeededGenerator generator = Shared.Randomness.SeededGenerator.For(seed, "ordering");
            RoundGate gate = new(n, goal);
            int[] order = [.. Enumerable.Range(0, n)];
            generator.Shuffle<int>(order);
            foreach (int i in order)
            {
                if (dropped[i])
                {
                    gate.AssignLost(names[i], announced: i % 2 == 0);
                }
                else
                {
                    gate.Assign(names[i], Seconds(times[i]));
                }
            }

            List<string> accepted = [];
            List<int> running = [.. Enumerable.Range(0, n)];
            while (running.Count > 0)
            {
                int[] able = [.. running.Where(i => dropped[i] || gate.Admits(names[i]))];
                Assert.NotEmpty(able);
                int next = able[generator.NextInt(able.Length)];
                running.Remove(next);
                bool accept = !dropped[next] && accepted.Count < goal;
                if (accept)
                {
                    accepted.Add(names[next]);
                }

                gate.End(names[next], accept);
            }

            Assert.True(gate.IsOver);
            Assert.Equal(expected, accepted.Order());
        });

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
