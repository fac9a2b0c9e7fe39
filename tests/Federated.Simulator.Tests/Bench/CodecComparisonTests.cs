using Federated.Simulator.Bench;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Scenarios;
using Federated.Simulator.Tests.Runs;
using Federated.Testing;

namespace Federated.Simulator.Tests.Bench;

public sealed class CodecComparisonTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task RunAsync_EveryChoice_RunsAndSendsNoMoreThanDense()
    {
        string scenario = await WriteAsync();
        List<CodecRun> runs = [];
        foreach (CodecChoice choice in CodecComparison.Choices.Where(choice => choice.IsFor(scenario)))
        {
            runs.Add(await CodecComparison.RunAsync(scenario, choice, 3, ["job.rounds=1"], TestContext.Current.CancellationToken));
        }

        Assert.Equal("dense", runs[0].Codec);
        Assert.All(runs, run => Assert.Equal((3UL, 1, "job.rounds=1"), (run.Seed, run.Rounds, run.Settings)));
        Assert.All(runs.Where(run => run.Codec.StartsWith("top-k", StringComparison.Ordinal)), run => Assert.True(run.BytesUp < runs[0].BytesUp, run.Codec));
    }

    public static TheoryData<string, string> ScenariosAndChoices =>
    [
        .. CodecComparison.Scenarios.SelectMany(scenario => CodecComparison.Choices.Where(choice => choice.IsFor(scenario)).Select(choice => new TheoryDataRow<string, string>(scenario, choice.Name))),
    ];

    [Theory]
    [MemberData(nameof(ScenariosAndChoices))]
    public void Settings_EveryChoiceInEveryScenario_AreTaken(string scenario, string choice)
    {
        IReadOnlyList<string> settings = CodecComparison.Choices.Single(c => c.Name == choice).SettingsIn(scenario);
        Assert.Equal(scenario, ScenarioReader.Read(ScenarioCatalog.Find(scenario).Json, settings).Scenario.Name);
    }

    [Fact]
    public async Task RunAsync_FileOfEarlierRuns_RunsOnlyWhatItLacks()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        string scenario = await WriteAsync();
        string file = Path.Combine(_folder.Path, "runs.jsonl");

        int first = await CodecComparisonCommand.RunAsync([scenario], ["dense"], [1], ["job.rounds=1"], file, json: true, ct);
        string kept = await File.ReadAllTextAsync(file, ct);
        int second = await CodecComparisonCommand.RunAsync([scenario], ["dense", "stc"], [1], ["job.rounds=1"], file, json: true, ct);
        int otherSettings = await CodecComparisonCommand.RunAsync([scenario], ["dense"], [1], ["job.rounds=2"], file, json: true, ct);

        Assert.Equal((ExitCodes.Success, ExitCodes.Success, ExitCodes.Success), (first, second, otherSettings));
        Assert.StartsWith(kept, await File.ReadAllTextAsync(file, ct), StringComparison.Ordinal);
        IReadOnlyList<CodecRun> runs = await CodecComparison.ReadAsync(file, ct);
        Assert.Equal([("dense", 1), ("stc 1 %", 1), ("dense", 2)], runs.Select(run => (run.Codec, (int)run.Rounds)));
    }

    [Fact]
    public async Task RunAsync_UnknownCodecOrBrokenFile_IsBadInput()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        string file = Path.Combine(_folder.Path, "broken.jsonl");
        await File.WriteAllTextAsync(file, "{\n", ct);

        Assert.Equal(ExitCodes.BadInput, await CodecComparisonCommand.RunAsync(["x"], ["zip"], [1], [], file, json: false, ct));
        Assert.Equal(ExitCodes.BadInput, await CodecComparisonCommand.RunAsync(["x"], ["dense"], [1], [], file, json: false, ct));
    }

    [Fact]
    public async Task RunAsync_FolderThatIsNotThere_IsMadeBeforeTheFirstRun()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        string scenario = await WriteAsync();
        string file = Path.Combine(_folder.Path, "new", "runs.jsonl");
        Assert.Equal(ExitCodes.Success, await CodecComparisonCommand.RunAsync([scenario], ["dense"], [1], ["job.rounds=1"], file, json: true, ct));
        Assert.Single(await CodecComparison.ReadAsync(file, ct));
    }

    [Fact]
    public void ProgressOf_DaysLeft_TellsThemInHours()
    {
        CodecRun run = new("toy", "dense", 1, "", 5, 0.5, 1, 2_000, 2_000, 1_000, 10_000, 0, "");
        Assert.EndsWith("2.0 kB up; 30 h 00 min left", CodecComparisonCommand.ProgressOf(run, done: 2, all: 5, TimeSpan.FromHours(20)), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<string> WriteAsync()
    {
        SmallDigits.Write(_folder.Path);
        string scenario = Path.Combine(_folder.Path, "toy.json");
        await File.WriteAllTextAsync(scenario, SmallDigits.Text, TestContext.Current.CancellationToken);
        return scenario;
    }
}
