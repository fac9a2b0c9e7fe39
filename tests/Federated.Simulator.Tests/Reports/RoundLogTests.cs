using System.Text.Json.Nodes;
using System.Text.Json;
using Federated.Server.Rounds;
using Federated.Simulator.Reports;
using Federated.Testing;

namespace Federated.Simulator.Tests.Reports;

public sealed class RoundLogTests
{
    [Fact]
    public async Task RewriteAsync_ThenRead_GivesTheRoundsBack()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, RoundLog.FileName);
        RoundRecord[] rounds = [.. SampleRun.Rounds(5), SampleRun.Round(6) with { TrainLoss = double.NaN }];

        await RoundLog.RewriteAsync(path, rounds, TestContext.Current.CancellationToken);

        IReadOnlyList<RoundRecord> read = RoundLog.Read(path);
        Assert.Equal(rounds.Select(RoundLog.ToLine), read.Select(RoundLog.ToLine));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task Create_AnotherProcessReadsMeanwhile_SeesEveryLine()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, RoundLog.FileName);
        await using StreamWriter log = RoundLog.Create(path);
        await log.WriteLineAsync(RoundLog.ToLine(SampleRun.Round(1)));
        using FileStream reading = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using StreamReader reader = new(reading);
        Assert.Equal(RoundLog.ToLine(SampleRun.Round(1)) + "\n", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void ToLine_RunsThatRepeat_DifferInTimingAlone()
    {
        RoundRecord round = SampleRun.Round(2);
        RoundRecord again = round with { Timing = new RoundTiming { TotalSeconds = 99, StartedAt = DateTimeOffset.UnixEpoch } };
        Assert.NotEqual(RoundLog.ToLine(round), RoundLog.ToLine(again));
        Assert.Equal(WithoutTiming(round), WithoutTiming(again));
    }

    [Fact]
    public void ToLine_ARound_IsOneLineOfCamelCaseWithNamedOutcome()
    {
        string line = RoundLog.ToLine(SampleRun.Round(3));
        Assert.DoesNotContain('\n', line);
        Assert.Contains("\"outcome\":\"abandoned\"", line, StringComparison.Ordinal);
        Assert.Contains("\"dropped\":{\"SIMULATED_LOSS\":3}", line, StringComparison.Ordinal);
    }

    private static string WithoutTiming(RoundRecord round)
    {
        JsonObject line = JsonNode.Parse(RoundLog.ToLine(round))!.AsObject();
        Assert.True(line.Remove("timing"));
        return line.ToJsonString(new JsonSerializerOptions());
    }
}
