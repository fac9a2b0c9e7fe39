using Federated.Server.Grains;
using Federated.Server.Rounds;

namespace Federated.Server.Tests.Grains;

/// <summary>How a device's history tells late from dropped and missing.</summary>
public sealed class DeviceRecordTests
{
    private static readonly DateTimeOffset _end = DateTimeOffset.UnixEpoch.AddHours(1);

    [Theory]
    [InlineData(null, false, null, ClientOutcome.Missing, "")]
    [InlineData(null, false, "deadline", ClientOutcome.Dropped, "deadline")]
    [InlineData(null, true, null, ClientOutcome.Done, "")]
    [InlineData(ClientOutcome.Working, false, null, ClientOutcome.Missing, "")]
    [InlineData(ClientOutcome.Missing, false, "left-out", ClientOutcome.Dropped, "left-out")]
    [InlineData(ClientOutcome.Dropped, false, null, ClientOutcome.Dropped, "out-of-memory")]
    [InlineData(ClientOutcome.Dropped, true, null, ClientOutcome.Done, "")]
    [InlineData(ClientOutcome.Late, false, "deadline", ClientOutcome.Late, "")]
    public void Of_TimelineAndRound_GiveOneOutcome(ClientOutcome? seen, bool contributed, string? dropReason, ClientOutcome outcome, string reason)
    {
        ClientTimeline? client = seen is { } known
            ? new ClientTimeline { DeviceId = "pi", CheckedInAt = _end, AssignedAt = _end, Outcome = known, Reason = known == ClientOutcome.Dropped ? "out-of-memory" : "" }
            : null;

        DeviceRound round = DeviceRound.Of("job", 1, client, contributed, dropReason, _end);

        Assert.Equal((outcome, reason), (round.Outcome, round.Reason));
    }

    [Fact]
    public void WithLate_AfterTheRound_ReplacesOutcomeAndError()
    {
        DeviceRecord record = new DeviceRecord()
            .With(DeviceRound.Of("job", 1, null, false, "deadline", _end))
            .With(DeviceRound.Of("job", 2, null, true, null, _end));
        Assert.Equal("nothing had come at the deadline", Assert.Single(record.Errors).Text);

        DeviceRecord after = record.WithLate(DeviceRound.Late("job", 1, null, "late", _end.AddMinutes(5)));

        Assert.Equal([(1L, ClientOutcome.Late, ""), (2L, ClientOutcome.Done, "")], after.Rounds.Select(round => (round.Round, round.Outcome, round.Reason)));
        Assert.Equal((2L, 1L), (after.Selected, after.Contributed));
        DeviceError error = Assert.Single(after.Errors);
        Assert.Equal((_end.AddMinutes(5), 1L, "its update came after the round had closed"), (error.At, error.Round, error.Text));
    }

    [Fact]
    public void WithLate_RoundInTheModelOrNotKept_ChangesNothing()
    {
        DeviceRecord record = new DeviceRecord().With(DeviceRound.Of("job", 2, null, true, null, _end));

        Assert.Same(record, record.WithLate(DeviceRound.Late("job", 2, null, "late", _end)));
        Assert.Same(record, record.WithLate(DeviceRound.Late("job", 1, null, "late", _end)));
        Assert.Same(record, record.WithLate(DeviceRound.Late("other", 2, null, "late", _end)));
    }
}
