using Federated.Server.Grains;
using Federated.Server.Rounds;

namespace Federated.Server.Tests.Grains;

public sealed class RefusalTallyTests
{
    private const string Duplicate = "duplicate";

    private readonly RefusalTally _tally = new();

    [Fact]
    public void Add_RoundIsOpen_CountsAllButALateDeviceOnlyOnce()
    {
        for (int i = 0; i < 3; i++)
        {
            _tally.Add(1, "pi-1", Duplicate);
            _tally.Add(1, "pi-1", RefusalTally.Late);
        }

        RoundRecord record = _tally.TakeInto(Record(1));

        Assert.Equal(1, record.Late);
        Assert.Equal(3, record.Refused[Duplicate]);
    }

    [Fact]
    public void AddToClosed_SameDeviceAndOutcomeAgain_CountsOnce()
    {
        _tally.Add(1, "pi-1", RefusalTally.Late);
        _tally.Close(1);

        Assert.False(_tally.AddToClosed(1, "pi-1", RefusalTally.Late));
        Assert.True(_tally.AddToClosed(1, "pi-2", RefusalTally.Late));
        Assert.True(_tally.AddToClosed(1, "pi-1", Duplicate));
        Assert.False(_tally.AddToClosed(1, "pi-1", Duplicate));

        RoundRecord record = _tally.TakeInto(Record(1));
        Assert.Equal(2, record.Late);
        Assert.Equal(1, record.Refused[Duplicate]);
    }

    [Fact]
    public void AddToClosed_RoundsInTurns_CountsADeviceOnceInEach()
    {
        int late = 0;
        for (long round = 1; round <= 20; round++)
        {
            _tally.Close(round);
        }

        for (int i = 0; i < 3; i++)
        {
            foreach (long round in new[] { 20L, 17L })
            {
                late += _tally.AddToClosed(round, "pi-1", RefusalTally.Late) ? 1 : 0;
                _tally.TakeInto(Record(round));
            }
        }

        Assert.Equal(2, late);
    }

    [Fact]
    public void AddToClosed_RoundIsNoLongerKept_DoesNotCount()
    {
        for (long round = 1; round <= JobRetention.KeptRounds + 1; round++)
        {
            _tally.Close(round);
        }

        Assert.False(_tally.AddToClosed(1, "pi-1", RefusalTally.Late));
        Assert.True(_tally.AddToClosed(2, "pi-1", RefusalTally.Late));
    }

    [Fact]
    public void AddToClosed_RoundClosedInAnotherProcess_DoesNotCount() => Assert.False(_tally.AddToClosed(1, "pi-1", RefusalTally.Late));

    private static RoundRecord Record(long round) => new()
    {
        JobId = "job-1",
        Round = round,
        Outcome = RoundOutcome.Committed,
        ModelVersion = round,
        AdapterSha256 = new string('0', 64),
        Goal = 1,
        Selected = 1,
        Accepted = 1,
    };
}
