using Federated.Server.Collection;
using Federated.Server.Rounds;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Server.Tests.Collection;

public sealed class TimelineRecorderTests
{
    private readonly FakeTimeProvider _time = new();

    private TimelineRecorder Recorder { get; }

    public TimelineRecorderTests() => Recorder = new TimelineRecorder(_time);

    [Fact]
    public void Answered_AcceptedUpdate_AccountsForEverySecondBetweenAssignmentAndEnd()
    {
        Assign("pi-1");
        _time.Advance(TimeSpan.FromSeconds(10));
        Recorder.UploadStarted("job-1", 1, "pi-1", new ReportedCosts(2, 5, 77));
        _time.Advance(TimeSpan.FromSeconds(4));
        Recorder.Answered("job-1", 1, "pi-1", ClientOutcome.Done, "");

        ClientTimeline client = Client("pi-1");
        Assert.Equal(ClientOutcome.Done, client.Outcome);
        Assert.Equal(2, client.DownloadSeconds);
        Assert.Equal(5, client.ComputeSeconds);
        Assert.Equal(3, client.OtherSeconds);
        Assert.Equal(4, client.UploadSeconds);
        Assert.Equal(77, client.PeakMemoryBytes);
        Assert.Equal(_time.GetUtcNow(), client.EndedAt);
    }

    [Fact]
    public void Answered_RefusedUpdate_LeavesTheDeviceWorking()
    {
        Assign("pi-1");
        Recorder.UploadStarted("job-1", 1, "pi-1", default);
        Recorder.Answered("job-1", 1, "pi-1", null, "malformed");

        ClientTimeline client = Client("pi-1");
        Assert.Equal(ClientOutcome.Working, client.Outcome);
        Assert.Equal("malformed", client.LastRefusal);
        Assert.Null(client.EndedAt);
        Assert.Null(client.UploadSeconds);
    }

    [Fact]
    public void UploadStarted_AfterTheUpdateWasAccepted_ChangesNothing()
    {
        Assign("pi-1");
        Recorder.Answered("job-1", 1, "pi-1", ClientOutcome.Done, "");
        ClientTimeline before = Client("pi-1");
        _time.Advance(TimeSpan.FromSeconds(1));
        Recorder.UploadStarted("job-1", 1, "pi-1", new ReportedCosts(9, 9, 9));
        Recorder.Answered("job-1", 1, "pi-1", ClientOutcome.Late, "late");
        Recorder.Dropped("job-1", 1, "pi-1", "shutdown");

        Assert.Equal(before, Client("pi-1"));
    }

    [Fact]
    public void Close_DevicesThatWork_AreMissingAndMayStillBecomeLate()
    {
        Assign("pi-1");
        Assign("pi-2");
        Recorder.Dropped("job-1", 1, "pi-2", "training-failed");
        _time.Advance(TimeSpan.FromSeconds(60));
        Recorder.Close("job-1", 1, [], new Dictionary<string, string>());

        Assert.Equal(ClientOutcome.Missing, Client("pi-1").Outcome);
        Assert.Equal((ClientOutcome.Dropped, "training-failed"), (Client("pi-2").Outcome, Client("pi-2").Reason));
        Assert.False(Recorder.Snapshot("job-1", 1)!.Open);

        Recorder.Answered("job-1", 1, "pi-1", ClientOutcome.Late, "late");
        Assert.Equal(ClientOutcome.Late, Client("pi-1").Outcome);
    }

    [Fact]
    public void Close_DevicesThatTheRoundGaveUp_AreDroppedWithItsReasonAndMayStillBecomeLate()
    {
        Assign("pi-1");
        Recorder.Close("job-1", 1, [], new Dictionary<string, string> { ["pi-1"] = "deadline" });

        Assert.Equal((ClientOutcome.Dropped, "deadline"), (Client("pi-1").Outcome, Client("pi-1").Reason));

        Recorder.Answered("job-1", 1, "pi-1", ClientOutcome.Late, "late");
        Assert.Equal((ClientOutcome.Late, ""), (Client("pi-1").Outcome, Client("pi-1").Reason));
    }

    [Fact]
    public void Close_ContributorNotYetAnswered_IsDone()
    {
        Assign("pi-1");
        Recorder.UploadStarted("job-1", 1, "pi-1", default);
        Recorder.Close("job-1", 1, ["pi-1"], new Dictionary<string, string>());

        Assert.Equal(ClientOutcome.Done, Client("pi-1").Outcome);
    }

    [Fact]
    public void Assigned_Again_KeepsTheFirstInstant()
    {
        Assign("pi-1");
        DateTimeOffset first = Client("pi-1").AssignedAt;
        _time.Advance(TimeSpan.FromSeconds(3));
        Assign("pi-1");

        Assert.Equal(first, Client("pi-1").AssignedAt);
    }

    [Fact]
    public void UploadStarted_Stranger_HasNoEntry()
    {
        Assign("pi-1");
        Recorder.UploadStarted("job-1", 1, "stranger", default);
        Recorder.UploadStarted("job-1", 2, "pi-1", default);
        Recorder.Answered("job-1", 1, "stranger", ClientOutcome.Done, "");

        Assert.Equal("pi-1", Assert.Single(Recorder.Snapshot("job-1", 1)!.Clients).DeviceId);
        Assert.Null(Recorder.Snapshot("job-1", 2));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1)]
    public void UploadStarted_ImpossibleDuration_CountsAsNone(double seconds)
    {
        Assign("pi-1");
        Recorder.UploadStarted("job-1", 1, "pi-1", new ReportedCosts(seconds, seconds, 0));

        Assert.Equal((0d, 0d), (Client("pi-1").DownloadSeconds, Client("pi-1").ComputeSeconds));
    }

    [Fact]
    public void Assigned_MoreRoundsThanAreKept_ForgetsTheOldest()
    {
        for (int round = 1; round <= TimelineRecorder.KeptRounds + 1; round++)
        {
            Recorder.Assigned("job-1", round, "pi-1", _time.GetUtcNow());
        }

        Assert.Null(Recorder.Snapshot("job-1", 1));
        Assert.NotNull(Recorder.Snapshot("job-1", 2));
        Assert.NotNull(Recorder.Snapshot("job-1", TimelineRecorder.KeptRounds + 1));
    }

    [Fact]
    public void Assigned_ManyShortRoundsOfAnotherJob_KeepsTheOpenOne()
    {
        Assign("pi-1");
        for (int round = 1; round <= 2 * TimelineRecorder.KeptRounds; round++)
        {
            Recorder.Assigned("job-2", round, "pi-2", _time.GetUtcNow());
            Recorder.Close("job-2", round, ["pi-2"], new Dictionary<string, string>());
        }

        Assert.True(Recorder.IsOpen("job-1", 1));
        Assert.Equal(["pi-1"], Recorder.Working());
        Assert.Null(Recorder.Snapshot("job-2", TimelineRecorder.KeptRounds));
        Assert.NotNull(Recorder.Snapshot("job-2", 2 * TimelineRecorder.KeptRounds));
    }

    [Fact]
    public void Assigned_NextRoundWhileTheOneBeforeIsOpen_EndsTheOneBefore()
    {
        Assign("pi-1");
        Recorder.Assigned("job-2", 1, "pi-2", _time.GetUtcNow());
        Recorder.Assigned("job-1", 2, "pi-1", _time.GetUtcNow());

        Assert.False(Recorder.IsOpen("job-1", 1));
        Assert.Equal(ClientOutcome.Missing, Client("pi-1").Outcome);
        Assert.True(Recorder.IsOpen("job-1", 2));
        Assert.True(Recorder.IsOpen("job-2", 1));
    }

    private void Assign(string deviceId) => Recorder.Assigned("job-1", 1, deviceId, _time.GetUtcNow());

    private ClientTimeline Client(string deviceId) => Assert.Single(Recorder.Snapshot("job-1", 1)!.Clients, client => client.DeviceId == deviceId);
}
