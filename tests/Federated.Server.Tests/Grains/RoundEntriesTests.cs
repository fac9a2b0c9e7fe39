using Federated.Server.Grains;
using Federated.Server.Rounds;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Tests.Grains;

public sealed class RoundEntriesTests
{
    [Theory]
    [InlineData(-40)]
    [InlineData(7)]
    [InlineData(99)]
    public void NextClipNorm_NoisyCount_CountsAsItIsThoughTheRecordShowsAShare(long unclipped)
    {
        RoundRecord record = Record() with { ClippedShare = Math.Clamp(1 - (unclipped / 10.0), 0, 1) };
        double next = record.NextClipNorm(0.9, new LinearStatistics(10, 0, unclipped, 0))!.Value;
        Assert.Equal(2 * Math.Exp(-0.2 * ((unclipped / 10.0) - 0.9)), next, 1e-12);
    }

    [Fact]
    public void NextClipNorm_AbandonedOrWithoutQuantile_IsNone()
    {
        Assert.Null(Record().NextClipNorm(0.9, null));
        Assert.Null(Record().NextClipNorm(null, new LinearStatistics(10, 0, 5, 0)));
        Assert.Null((Record() with { ClipNorm = null }).NextClipNorm(0.9, new LinearStatistics(10, 0, 5, 0)));
    }

    private static RoundRecord Record() => new()
    {
        JobId = "job-1",
        Round = 3,
        Outcome = RoundOutcome.Committed,
        ModelVersion = 3,
        AdapterSha256 = "",
        Goal = 10,
        Selected = 10,
        Accepted = 10,
        ClipNorm = 2,
    };
}
