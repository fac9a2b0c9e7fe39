using Federated.Simulator.Bench.Groups;

namespace Federated.Simulator.Tests.Bench;

/// <summary>What a member of a group sends and receives beside its masked fields.</summary>
public sealed class GroupTrafficTests
{
    private static readonly MachineRates _rates = new(4, 10, 2, 7_000, 15_000, 11_000);

    // Encoded gRPC messages of the whole protocol; the fields are few, as they do not count.
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(30)]
    public void Measure_FiftyMembers_StaysWithinEightKilobytesUpAndSixteenDown(int dropout)
    {
        GroupShape shape = new(50, 100, 16, dropout);
        using EnrolledMembers enrolled = new(shape.Members);
        GroupCost cost = WholeGroup.Measure(shape, enrolled, _rates);

        Assert.Equal(200, cost.PayloadBytes);
        Assert.InRange(cost.UpBytes, 1, 8_000);
        Assert.InRange(cost.DownBytes, 1, 16_000);
    }
}
