using CsCheck;
using Federated.Server.Dashboard;
using Federated.Server.Rounds;

namespace Federated.Dashboard.Tests.Rounds;

/// <summary>Why a round was slow, from made-up records whose answer is known.</summary>
public sealed class RoundDiagnosisTests
{
    private static readonly DateTimeOffset _start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData(9, 0, 0, ClientPhase.Train)]
    [InlineData(0, 9, 0, ClientPhase.Download)]
    [InlineData(0, 0, 9, ClientPhase.Upload)]
    public void Of_OneSlowClient_NamesItsPhaseAndCost(double train, double download, double upload, ClientPhase expected)
    {
        ClientTimeline[] clients = [Client("a"), Client("b"), Client("c"), Client("slow", 1 + train, 1 + download, 1 + upload)];

        RoundDiagnosis found = RoundDiagnosis.Of(Record(collectSeconds: 12, accepted: 4), Timeline(clients));

        SlowClient slow = Assert.Single(found.Slow);
        Assert.Equal(RoundPart.Collect, found.Phase);
        Assert.Equal(("slow", expected), (slow.DeviceId, slow.Phase));
        Assert.Equal(10, slow.PhaseSeconds, 9);
        Assert.Equal(1, slow.TypicalSeconds, 9);
        Assert.Equal(9, slow.CostSeconds, 9);
        Assert.Equal((3.0, 9.0), (found.TypicalEndSeconds!.Value, found.WaitedSeconds));
    }

    [Fact]
    public void Of_PauseNobodyReported_IsOther()
    {
        ClientTimeline pausing = Client("slow") with { UploadStartedAt = _start.AddSeconds(10), EndedAt = _start.AddSeconds(11) };

        RoundDiagnosis found = RoundDiagnosis.Of(Record(11, accepted: 3), Timeline(Client("a"), Client("b"), pausing));

        Assert.Equal(ClientPhase.Other, Assert.Single(found.Slow).Phase);
    }

    [Fact]
    public void Of_MaskedDevices_TrainingIsNotTakenForNothing()
    {
        ClientTimeline[] clients = [.. new[] { Client("a"), Client("b"), Client("slow") with { UploadStartedAt = _start.AddSeconds(10), EndedAt = _start.AddSeconds(11) } }
            .Select(client => client with { ComputeSeconds = 0 })];

        RoundDiagnosis found = RoundDiagnosis.Of(Record(11, accepted: 3), Timeline(clients));

        Assert.Equal(("slow", ClientPhase.TrainAndWait), (Assert.Single(found.Slow).DeviceId, found.Slow[0].Phase));
        Assert.Contains("training and waiting took", string.Concat(SlownessText.Of(found)), StringComparison.Ordinal);
        Assert.All(WaterfallRow.Of(Timeline(clients), _start), row => Assert.Contains(row.Stretches, stretch => stretch.Name == "training and waiting"));
    }

    [Fact]
    public void Of_LongEncoding_IsEncode()
    {
        ClientTimeline encoding = Client("slow") with { UploadStartedAt = _start.AddSeconds(10), EndedAt = _start.AddSeconds(11), EncodeSeconds = 7 };

        Assert.Equal(ClientPhase.Encode, Assert.Single(RoundDiagnosis.Of(Record(11, accepted: 3), Timeline(Client("a"), Client("b"), encoding)).Slow).Phase);
    }

    [Fact]
    public void Of_AllAlike_NamesNobody() =>
        Assert.Empty(RoundDiagnosis.Of(Record(3.1, accepted: 3), Timeline(Client("a"), Client("b"), Client("c"))).Slow);

    [Fact]
    public void Of_DeadlineForASilentDevice_NamesItsSilence()
    {
        ClientTimeline silent = new() { DeviceId = "silent", CheckedInAt = _start, AssignedAt = _start, EndedAt = _start.AddSeconds(60), Outcome = ClientOutcome.Missing };

        SlowClient slow = Assert.Single(RoundDiagnosis.Of(Record(60, accepted: 2), Timeline(Client("a"), Client("b"), silent)).Slow);

        Assert.Equal(("silent", ClientPhase.Silence), (slow.DeviceId, slow.Phase));
        Assert.Equal((60.0, 57.0), (slow.PhaseSeconds, slow.CostSeconds));
    }

    [Fact]
    public void Of_GoalReached_DoesNotBlameWhoCameAfterwards()
    {
        ClientTimeline late = Client("late", train: 50) with { Outcome = ClientOutcome.Late };

        RoundDiagnosis found = RoundDiagnosis.Of(Record(3, accepted: 2) with { Goal = 2 }, Timeline(Client("a"), Client("b"), late));

        Assert.Empty(found.Slow);
    }

    [Theory]
    [InlineData(9, 1, 1, RoundPart.Select)]
    [InlineData(1, 9, 1, RoundPart.Commit)]
    [InlineData(1, 1, 9, RoundPart.Evaluate)]
    public void Of_AnotherPhaseLongest_NamesThePhaseAndNoDevice(double select, double commit, double evaluate, RoundPart expected)
    {
        RoundRecord record = Record(3, accepted: 2);
        record = record with { Timing = record.Timing with { SelectSeconds = select, CommitSeconds = commit, EvaluateSeconds = evaluate } };

        RoundDiagnosis found = RoundDiagnosis.Of(record, Timeline(Client("a"), Client("b", train: 2)));

        Assert.Equal((expected, 9.0), (found.Phase, found.PhaseSeconds));
        Assert.Empty(found.Slow);
    }

    [Fact]
    public void Of_NoTimeline_TellsThePhaseAlone() => Assert.Empty(RoundDiagnosis.Of(Record(3, accepted: 2), null).Slow);

    [Fact]
    public void Of_AnyTimeline_CostsAreInsideTheWait() => Gen.Select(
        Gen.Double[0, 20], Gen.Double[0, 20], Gen.Double[0, 20], Gen.Enum<ClientOutcome>()).Array[0, 12].Sample(parts =>
        {
            ClientTimeline[] clients = [.. parts.Select((part, i) => Client($"d{i}", part.Item1, part.Item2, part.Item3) with { Outcome = part.Item4 })];
            double collect = clients.Select(client => (client.EndedAt!.Value - _start).TotalSeconds).DefaultIfEmpty().Max();
            RoundDiagnosis found = RoundDiagnosis.Of(Record(collect, clients.Count(client => client.Outcome == ClientOutcome.Done)), Timeline(clients));
            Assert.All(found.Slow, slow => Assert.InRange(slow.CostSeconds, 0, collect + 1e-9));
            Assert.Equal(found.Slow.OrderByDescending(slow => slow.CostSeconds).Select(slow => slow.CostSeconds), found.Slow.Select(slow => slow.CostSeconds));
        });

    private static ClientTimeline Client(string id, double train = 1, double download = 1, double upload = 1) => new()
    {
        DeviceId = id,
        CheckedInAt = _start,
        AssignedAt = _start,
        UploadStartedAt = _start.AddSeconds(train + download),
        EndedAt = _start.AddSeconds(train + download + upload),
        Outcome = ClientOutcome.Done,
        ComputeSeconds = train,
        DownloadSeconds = download,
    };

    private static RoundTimeline Timeline(params ClientTimeline[] clients) => new("job", 1, Open: false, clients);

    private static RoundRecord Record(double collectSeconds, int accepted) => new()
    {
        JobId = "job",
        Round = 1,
        Outcome = RoundOutcome.Committed,
        ModelVersion = 1,
        AdapterSha256 = "",
        Goal = 4,
        Selected = 4,
        Accepted = accepted,
        Timing = new RoundTiming { CollectSeconds = collectSeconds, TotalSeconds = collectSeconds + 0.2, SelectSeconds = 0.1, CommitSeconds = 0.1 },
    };
}
