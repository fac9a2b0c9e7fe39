using CsCheck;
using Federated.Server.Cli;
using Federated.Server.Rounds;

namespace Federated.Server.Tests.Cli;

public sealed class RoundTextTests
{
    private static readonly DateTimeOffset _start = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<ClientTimeline> _client =
        from device in Gen.String[Gen.Char.AlphaNumeric, 1, 128]
        from outcome in Gen.Enum<ClientOutcome>()
        from reason in Gen.String[Gen.Char[" abcdefgh"], 0, 300]
        from refusal in Gen.Int[0, 2].Select(i => new[] { "", "malformed", "out of range" }[i])
        from seconds in Gen.Double[0, 1e9].Array[5]
        from reported in Gen.Bool
        select new ClientTimeline
        {
            DeviceId = device,
            CheckedInAt = _start,
            AssignedAt = _start,
            Outcome = outcome,
            Reason = reason,
            LastRefusal = refusal,
            UploadStartedAt = reported ? _start.AddSeconds(seconds[3]) : null,
            EndedAt = _start.AddSeconds(seconds[3] + seconds[4]),
            DownloadSeconds = seconds[0],
            ComputeSeconds = seconds[1],
            EncodeSeconds = seconds[2],
        };

    [Fact]
    public void Lines_OfAnyRound_FitEightyColumns() => _client.Array[0, 5].Sample(clients => Assert.All(
        RoundText.Lines(Record() with { Reason = new string('x', 200), BytesUp = long.MaxValue, BytesDown = long.MaxValue, Examples = long.MaxValue }, new RoundTimeline("job", 1, false, clients)),
        line => Assert.True(line.Length <= RoundText.Width, line)));

    [Fact]
    public void Lines_OfARound_NameEveryDeviceAndPhase()
    {
        ClientTimeline client = new()
        {
            DeviceId = "pi-1",
            CheckedInAt = _start,
            AssignedAt = _start.AddSeconds(1),
            UploadStartedAt = _start.AddSeconds(11),
            EndedAt = _start.AddSeconds(12.5),
            Outcome = ClientOutcome.Done,
            DownloadSeconds = 2,
            ComputeSeconds = 7,
            EncodeSeconds = 0.25,
        };
        ClientTimeline dropped = new() { DeviceId = "device-1e7057fd94a757dc", CheckedInAt = _start, AssignedAt = _start, EndedAt = _start.AddSeconds(3), Outcome = ClientOutcome.Dropped, Reason = "training failed" };

        string[] lines = [.. RoundText.Lines(Record(), new RoundTimeline("job", 1, false, [client, dropped]))];

        Assert.Contains("device                  outcome download   train  encode   other  upload     end", lines);
        Assert.Contains("pi-1                    done       2.000   7.000   0.250   0.750   1.500  12.500", lines);
        Assert.Contains("device-1e7057fd94a757dc dropped        –       –       –       –       –   3.000", lines);
        Assert.Contains("  device-1e7057fd94a757dc: training failed", lines);
    }

    private static RoundRecord Record() => new()
    {
        JobId = "job",
        Round = 1,
        Outcome = RoundOutcome.Committed,
        ModelVersion = 1,
        AdapterSha256 = new string('a', 64),
        Goal = 1,
        Selected = 2,
        Accepted = 1,
        Timing = new RoundTiming { StartedAt = _start, TotalSeconds = 12.6 },
    };
}
