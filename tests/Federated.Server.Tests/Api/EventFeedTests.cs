using Federated.Server.Collection;
using Federated.Server.Events;
using Federated.Server.Identity;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Server.Tests.Api;

public sealed class EventFeedTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReadAsync_WithoutNumber_GivesWhatHappensFromThenOn()
    {
        EventFeed feed = new(_time);
        feed.Publish(Selecting(1));
        IAsyncEnumerable<ServerEvent> events = feed.ReadAsync(after: null, Stop);
        feed.Publish(Selecting(2));
        feed.Publish(Selecting(3));

        Assert.Equal([2, 3], (await TakeAsync(events, 2)).Cast<RoundStageChanged>().Select(happened => happened.Round));
    }

    [Fact]
    public async Task ReadAsync_AfterANumber_GoesOnBehindIt()
    {
        EventFeed feed = new(_time);
        feed.Publish(Selecting(1));
        long first = feed.LastEventId;
        feed.Publish(Selecting(2));

        ServerEvent next = Assert.Single(await TakeAsync(feed.ReadAsync(first, Stop), 1));

        Assert.Equal(first + 1, next.EventId);
        Assert.Equal(_time.GetUtcNow(), next.At);
    }

    [Fact]
    public async Task ReadAsync_OvertakenReader_GetsAMarkAndTheOldestThatIsLeft()
    {
        EventFeed feed = new(_time);
        feed.Publish(Selecting(1));
        long first = feed.LastEventId;
        for (int i = 0; i < EventFeed.KeptEvents + 5; i++)
        {
            feed.Publish(Selecting(i + 2));
        }

        List<ServerEvent> read = await TakeAsync(feed.ReadAsync(first, Stop), EventFeed.KeptEvents + 1);

        EventsMissed missed = Assert.IsType<EventsMissed>(read[0]);
        Assert.Equal((first, first + 6), (missed.After, missed.Next));
        Assert.Equal(Enumerable.Range(6, EventFeed.KeptEvents).Select(i => first + i), read.Skip(1).Select(happened => happened.EventId));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MaxValue - 1)]
    public async Task ReadAsync_AfterANumberThatNeverWas_GetsAMark(long after)
    {
        EventFeed feed = new(_time);
        feed.Publish(Selecting(1));

        List<ServerEvent> read = await TakeAsync(feed.ReadAsync(after, Stop), 2);

        Assert.IsType<EventsMissed>(read[0]);
        Assert.IsType<RoundStageChanged>(read[1]);
    }

    [Fact]
    public async Task ReadAsync_AfterANumberOfAnEarlierProcess_GetsAMark()
    {
        EventFeed earlier = new(_time);
        earlier.Publish(Selecting(1));
        _time.Advance(TimeSpan.FromSeconds(5));
        EventFeed feed = new(_time);
        feed.Publish(Selecting(2));

        Assert.True(feed.LastEventId > earlier.LastEventId);
        Assert.IsType<EventsMissed>((await TakeAsync(feed.ReadAsync(earlier.LastEventId, Stop), 1))[0]);
    }

    [Fact]
    public async Task HasReaders_FollowsWhoReads()
    {
        EventFeed feed = new(_time);
        Assert.False(feed.HasReaders);
        feed.Publish(Selecting(1));
        await using (IAsyncEnumerator<ServerEvent> reader = feed.ReadAsync(feed.LastEventId - 1, Stop).GetAsyncEnumerator(Stop))
        {
            Assert.True(await reader.MoveNextAsync());
            Assert.True(feed.HasReaders);
        }

        Assert.False(feed.HasReaders);
    }

    [Fact]
    public async Task FleetPulse_Publish_TellsChangesOnly()
    {
        EventFeed feed = new(_time);
        TimelineRecorder timelines = new(_time);
        FleetCensus census = new(_time, timelines);
        RefusedCalls refused = new(_time);
        FleetPulse pulse = new(feed, census, timelines, refused, _time);
        IAsyncEnumerable<ServerEvent> events = feed.ReadAsync(null, Stop);
        census.Arrived(Profile("a"), "p");
        census.Arrived(Profile("b"), "p");
        census.Answered("b");
        timelines.Assigned("job", 1, "b", _time.GetUtcNow());
        refused.Note("a", Federated.Shared.Protocol.ErrorCode.WrongDevice, "another", "");
        pulse.Publish();
        pulse.Publish();
        timelines.Answered("job", 1, "b", Federated.Server.Rounds.ClientOutcome.Done, "");
        pulse.Publish();

        List<ServerEvent> read = await TakeAsync(events, 5);
        Assert.Equal(1, Assert.Single(read.OfType<CallsRefused>()).Total);
        Assert.Equal(
            [new FleetCounts(2, 1, 1, 0, 0, 1), new FleetCounts(2, 1, 0, 1, 0, 1)],
            read.OfType<FleetChanged>().Select(changed => changed.Fleet));
        Assert.Equal([(1, 0), (0, 1)], read.OfType<RoundProgressed>().Select(progress => (progress.Progress.Training, progress.Progress.Done)));
        Assert.Equal(read[^1].EventId, feed.LastEventId);
    }

    private static Federated.Server.Grains.CheckIn Profile(string device) =>
        new() { DeviceId = device, Labels = [], ClientVersion = "1", Engine = "onnx", Hold = TimeSpan.Zero };

    private static RoundStageChanged Selecting(long round) => new("job", round, RoundStage.Selecting, 0, 1);

    private static async Task<List<ServerEvent>> TakeAsync(IAsyncEnumerable<ServerEvent> events, int count)
    {
        List<ServerEvent> taken = [];
        await foreach (ServerEvent happened in events)
        {
            taken.Add(happened);
            if (taken.Count == count)
            {
                break;
            }
        }

        return taken;
    }
}
