using System.Text.Json.Nodes;
using Federated.Server.Api;
using Federated.Server.Hosting;
using Federated.Server.Identity;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Federated.Simulator.Runs;
using Federated.Simulator.Scenarios;
using Federated.Simulator.Tests.Reports;
using Federated.Testing;
using Microsoft.Extensions.Logging;

namespace Federated.Simulator.Tests.Runs;

/// <summary>Whole runs: real server, real client sessions over loopback, a toy model.</summary>
public sealed class SimulationRunTests
{
    [Fact]
    public async Task RunAsync_SameSeedAtOtherThreads_RepeatsEveryRound()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        ReadScenario scenario = SmallDigits.Scenario(folder.Path);

        (RunSummary first, string[] firstRounds) = await RunAsync(scenario, folder, "first", threads: 1);
        (RunSummary second, string[] secondRounds) = await RunAsync(scenario, folder, "second", threads: 2);

        Assert.Equal(RunOutcome.Completed, first.Outcome);
        Assert.Equal(4, first.Rounds);
        Assert.InRange(first.InitialLoss!.Value, Math.Log(4) - 0.3, Math.Log(4) + 0.3);
        Assert.Equal((first.InitialAccuracy, first.InitialLoss), (second.InitialAccuracy, second.InitialLoss));
        Assert.True(first.InitialAccuracy < 0.5, $"accuracy before training {first.InitialAccuracy}");
        Assert.True(first.FinalAccuracy > 0.5, $"accuracy {first.FinalAccuracy}");
        Assert.True(first.Dropped > 0, "the scenario drops a fifth of 32 selections");
        Assert.True(first.Late > 0, "twice the goal is selected, so that some must be late");
        Assert.Equal(firstRounds, secondRounds);
        Assert.Equal(first.AdapterSha256, second.AdapterSha256);
        Assert.Equal(first.EnergyJoulesPerClientRound, second.EnergyJoulesPerClientRound);
    }

    [Fact]
    public async Task RunAsync_AnotherSeed_GivesAnotherModel()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        (RunSummary first, _) = await RunAsync(SmallDigits.Scenario(folder.Path, "rounds=1"), folder, "first", threads: 2);
        (RunSummary second, _) = await RunAsync(SmallDigits.Scenario(folder.Path, "rounds=1", "seed=2"), folder, "second", threads: 2);
        Assert.NotEqual(first.AdapterSha256, second.AdapterSha256);
    }

    [Fact]
    public async Task RunAsync_EveryDeviceOutOfTime_AbandonsTheRoundByTheModelledTimes()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        ReadScenario scenario = SmallDigits.Scenario(
            folder.Path, "rounds=1", "dropRate=0", """profiles=[{"name":"snail","examplesPerSecond":0.001}]""");
        (RunSummary summary, _) = await RunAsync(scenario, folder, "slow", threads: 2);
        Assert.Equal(1, summary.AbandonedRounds);
        Assert.Equal(8, summary.Dropped);
        Assert.Null(summary.FinalAccuracy);
    }

    [Fact]
    public async Task RunAsync_Cancelled_WritesWhatItHas()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        using CancellationTokenSource stop = new();
        RunFolder output = RunFolder.Open(Path.Combine(folder.Path, "run"), "toy", 1, "/");
        RunRequest request = new() { Scenario = SmallDigits.Scenario(folder.Path, "rounds=100000"), Folder = output, Threads = 2, Server = null };

        RunSummary summary = await new SimulationRun(request, new StoppingView(stop, afterRounds: 2), TimeProvider.System).RunAsync(stop.Token);

        Assert.Equal(RunOutcome.Interrupted, summary.Outcome);
        Assert.InRange(summary.Rounds, 2, 99_999);
        Assert.Equal(summary.Rounds, RoundLog.Read(output.RoundsPath).Count);
        Assert.True(File.Exists(output.SummaryPath));
    }

    [Fact]
    public async Task RunAsync_InterruptedAndContinued_RepeatsTheRoundsOfAnUndisturbedRun()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);

        // Many, so that the run is not over before a view that is slow to follow has stopped it.
        const int wanted = 200;
        ReadScenario scenario = SmallDigits.Scenario(folder.Path, $"rounds={wanted}", "overSelection=1", "profiles=[{\"name\":\"pi\",\"watts\":4,\"examplesPerSecond\":100}]");
        (RunSummary undisturbed, string[] rounds) = await RunAsync(scenario, folder, "undisturbed", threads: 2);

        RunSummary interrupted = await InterruptAsync(scenario, folder, "interrupted", afterRounds: 5);
        RunState left = RunFolder.Reopen("interrupted", folder.Path).ReadState();
        (RunSummary continued, string[] together) = await RunAsync(scenario, folder, "interrupted", threads: 1, left);

        Assert.Equal(RunOutcome.Interrupted, interrupted.Outcome);
        Assert.Contains("run --resume", interrupted.Reason, StringComparison.Ordinal);
        Assert.InRange(interrupted.Rounds, 5, wanted - 1);
        Assert.Equal(RunOutcome.Completed, continued.Outcome);
        Assert.Equal(rounds.Select(WithoutBytes), together.Select(WithoutBytes));
        Assert.True(continued.BytesDownPerClientRound > undisturbed.BytesDownPerClientRound, "devices that begin anew fetch the package again");
        Assert.Equal(undisturbed.InitialLoss, continued.InitialLoss);
        Assert.Equal(undisturbed.AdapterSha256, continued.AdapterSha256);

        // Of a device that was interrupted between its acknowledgement and the end of its round the energy is not counted.
        Assert.Equal(undisturbed.EnergyJoulesPerClientRound!.Value, continued.EnergyJoulesPerClientRound!.Value, 0.01 * undisturbed.EnergyJoulesPerClientRound.Value);
        Assert.True(continued.WallSeconds > left.WallSeconds && left.WallSeconds > 0, $"{left.WallSeconds} s, then {continued.WallSeconds} s");
        Assert.True(continued.CpuSeconds > left.CpuSeconds && left.CpuSeconds > 0, $"{left.CpuSeconds} s, then {continued.CpuSeconds} s");
    }

    [Fact]
    public async Task RunAsync_FinishedRunContinued_KeepsItsTimes()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        ReadScenario scenario = SmallDigits.Scenario(folder.Path, "rounds=2");
        (RunSummary finished, string[] rounds) = await RunAsync(scenario, folder, "run", threads: 1);

        (RunSummary again, string[] sameRounds) = await RunAsync(scenario, folder, "run", threads: 1, RunFolder.Reopen("run", folder.Path).ReadState());

        Assert.Equal(rounds, sameRounds);
        Assert.Equal(finished.WallSeconds, again.WallSeconds, 0.1);
        Assert.Equal(finished.CpuSeconds, again.CpuSeconds, 0.1);
    }

    [Fact]
    public async Task RunAsync_StoppedBeforeItBegan_LeavesTheResultsOfAnEarlierRunAndSaysSo()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        RunRequest request = new()
        {
            Scenario = SmallDigits.Scenario(folder.Path),
            Folder = RunFolder.Open(Path.Combine(folder.Path, "run"), "toy", 1, "/"),
            Threads = 1,
            Server = null,
        };
        await request.Folder.WriteSummaryAsync(SampleRun.Summary(SampleRun.Rounds(2)), TestContext.Current.CancellationToken);

        RunStoppedEarlyException stopped = await Assert.ThrowsAsync<RunStoppedEarlyException>(
            () => new SimulationRun(request, new SilentView(), TimeProvider.System).RunAsync(new CancellationToken(canceled: true)));

        Assert.Contains("Start it again", stopped.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(request.Folder.SummaryPath));
    }

    [Fact]
    public async Task RunAsync_ServerThatTakesEnrolledDevicesAlone_IsRefused()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        await using FederatedServer server = await StartServerAsync(folder, new IdentityOptions { InsecureLoopback = false });
        RunRequest request = new()
        {
            Scenario = SmallDigits.Scenario(folder.Path),
            Folder = RunFolder.Open(Path.Combine(folder.Path, "run"), "toy", 1, "/"),
            Threads = 1,
            Server = server.ApiAddress,
        };

        await request.Folder.WriteSummaryAsync(SampleRun.Summary(SampleRun.Rounds(2)), TestContext.Current.CancellationToken);

        InvalidSettingsException refused = await Assert.ThrowsAsync<InvalidSettingsException>(
            () => new SimulationRun(request, new SilentView(), TimeProvider.System).RunAsync(TestContext.Current.CancellationToken));
        SettingProblem problem = Assert.Single(refused.Problems);
        Assert.Equal("--server", problem.Path);
        Assert.Contains("--insecure-loopback", problem.Allowed, StringComparison.Ordinal);
        Assert.True(File.Exists(request.Folder.SummaryPath), "what cannot be done must not cost the results of an earlier run");
    }

    [Fact]
    public async Task RunAsync_ResultsThatCannotBeWrittenAnyMore_CancelsTheJobElsewhereAndSaysThatItBroke()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        await using FederatedServer server = await StartServerAsync(folder, new IdentityOptions());
        RunRequest request = new()
        {
            Scenario = SmallDigits.Scenario(folder.Path, "rounds=100000"),
            Folder = RunFolder.Open(Path.Combine(folder.Path, "run"), "toy", 1, "/"),
            Threads = 2,
            Server = server.ApiAddress,
        };

        RunBrokenException broken = await Assert.ThrowsAsync<RunBrokenException>(
            () => new SimulationRun(request, new FullDiskView(), TimeProvider.System).RunAsync(TestContext.Current.CancellationToken));

        Assert.Equal("The run broke off: No space left on device.", broken.Message);
        using ServerApiClient api = new(server.ApiAddress);
        JobStatus job = Assert.Single(await api.JobsAsync(TestContext.Current.CancellationToken));
        Assert.Equal(JobState.Cancelled, job.State);
    }

    [Fact]
    public async Task RunAsync_OwnStoreThatCannotBeWritten_BreaksOffAfterAMinuteAndCanGoOn()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        ReadScenario scenario = SmallDigits.Scenario(folder.Path);
        RunFolder output = RunFolder.Open("run", "toy", 1, folder.Path);
        RunRequest request = new() { Scenario = scenario, Folder = output, Threads = 2, Server = null };

        // No sum can be written where its folder is a file, nor a file where a folder is.
        string sums = Path.Combine(output.ServerPath, "partial-sums");
        string probe = Path.Combine(output.ServerPath, StoreWatch.ProbeName);
        OpeningView view = new(() =>
        {
            File.WriteAllText(sums, "");
            Directory.CreateDirectory(probe);
        });

        RunBrokenException broken = await Assert.ThrowsAsync<RunBrokenException>(
            () => new SimulationRun(request, view, new MinutesAhead()).RunAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith(
            $"The run broke off; 'run --resume {output.Path}' goes on with it once this is put right: For 60 seconds the server could not write its store.",
            broken.Message,
            StringComparison.Ordinal);

        File.Delete(sums);
        Directory.Delete(probe);
        (RunSummary continued, string[] rounds) = await RunAsync(scenario, folder, "run", threads: 2, RunFolder.Reopen("run", folder.Path).ReadState());
        Assert.Equal(RunOutcome.Completed, continued.Outcome);
        Assert.Equal(4, rounds.Length);
    }

    [Fact]
    public async Task RunAsync_OverSelectedSecureRunContinued_EndsWithEveryRound()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        ReadScenario scenario = SmallDigits.Scenario(folder.Path, "rounds=6", "goal=6", "quorum=0.9", "job.update.codec=linear", "job.aggregation.secure={}", "dropRate=0.02");
        RunSummary interrupted = await InterruptAsync(scenario, folder, "run", afterRounds: 2);
        RunFolder output = RunFolder.Reopen("run", folder.Path);
        (RunSummary continued, string[] rounds) = await RunAsync(scenario, folder, "run", threads: 2, output.ReadState());
        Assert.Equal(RunOutcome.Completed, continued.Outcome);
        Assert.Equal(6, rounds.Length);

        // The devices of the round that was cut off have lost their keys; a group that had them already is given up.
        Assert.All(RoundLog.Read(output.RoundsPath).Where(record => record.Outcome == RoundOutcome.Abandoned), record =>
            Assert.Equal((interrupted.Rounds + 1, true), (record.Round, record.Groups!.Abandoned.Count > 0)));
    }

    [Fact]
    public async Task RunAsync_ContinuedAfterItsEnd_GivesTheSameAccount()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        ReadScenario scenario = SmallDigits.Scenario(folder.Path, "rounds=2");
        (RunSummary ended, string[] rounds) = await RunAsync(scenario, folder, "run", threads: 2);
        (RunSummary again, string[] same) = await RunAsync(scenario, folder, "run", threads: 2, RunFolder.Reopen("run", folder.Path).ReadState());
        Assert.Equal(RunOutcome.Completed, again.Outcome);
        Assert.Equal(rounds, same);
        Assert.Equal(ended.ClientUpdates, again.ClientUpdates);
    }

    [Fact]
    public async Task RunAsync_Afterwards_TheDashboardIsServedWithItsFiles()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        List<string> served = [];
        RunRequest request = new()
        {
            Scenario = SmallDigits.Scenario(folder.Path, "rounds=1"),
            Folder = RunFolder.Open(Path.Combine(folder.Path, "run"), "toy", 1, "/"),
            Threads = 2,
            Server = null,
            Afterwards = async (_, address, token) =>
            {
                using HttpClient browser = new() { BaseAddress = address };
                foreach (string path in new[] { "/", "/assets/blazor.web.js", "/assets/dashboard.css", "/assets/uplot/uplot.js" })
                {
                    served.Add(await browser.GetStringAsync(new Uri(path, UriKind.Relative), token));
                }
            },
        };

        await new SimulationRun(request, new SilentView(), TimeProvider.System).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(4, served.Count);
        Assert.Contains("assets/blazor.web.js", served[0], StringComparison.Ordinal);
        Assert.All(served, text => Assert.True(text.Length > 1000));
    }

    private static Task<FederatedServer> StartServerAsync(TemporaryFolder folder, IdentityOptions identity) => FederatedServer.StartAsync(
        new ServerOptions
        {
            GrpcPort = 0,
            ApiPort = 0,
            Threads = 1,
            LogLevel = LogLevel.Critical,
            Identity = identity,
            Storage = new StorageOptions { Kind = StorageKind.Files, Path = Path.Combine(folder.Path, "store") },
        },
        TestContext.Current.CancellationToken);

    private static async Task<RunSummary> InterruptAsync(ReadScenario scenario, TemporaryFolder folder, string name, int afterRounds)
    {
        using CancellationTokenSource stop = new();
        RunRequest request = new() { Scenario = scenario, Folder = RunFolder.Open(name, "toy", 1, folder.Path), Threads = 2, Server = null };
        return await new SimulationRun(request, new StoppingView(stop, afterRounds), TimeProvider.System).RunAsync(stop.Token);
    }

    private static async Task<(RunSummary Summary, string[] Rounds)> RunAsync(
        ReadScenario scenario, TemporaryFolder folder, string name, int threads, RunState? earlier = null)
    {
        RunFolder output = earlier is null ? RunFolder.Open(name, "toy", 1, folder.Path) : RunFolder.Reopen(name, folder.Path);
        RunRequest request = new() { Scenario = scenario, Folder = output, Threads = threads, Server = null, Earlier = earlier };
        RunSummary summary = await new SimulationRun(request, new SilentView(), TimeProvider.System).RunAsync(TestContext.Current.CancellationToken);
        return (summary, [.. RoundLog.Read(output.RoundsPath).Select(WithoutTiming)]);
    }

    private static string WithoutBytes(string round)
    {
        JsonObject line = JsonNode.Parse(round)!.AsObject();
        Assert.True(line.Remove("bytesUp") && line.Remove("bytesDown"));
        return line.ToJsonString();
    }

    private static string WithoutTiming(RoundRecord round)
    {
        JsonObject line = JsonNode.Parse(RoundLog.ToLine(round))!.AsObject();
        Assert.True(line.Remove("timing"));
        return line.ToJsonString();
    }

    /// <summary>The system's clock, a minute farther ahead at every look; its timers keep real time.</summary>
    private sealed class MinutesAhead : TimeProvider
    {
        private int _looks;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromMinutes(Interlocked.Increment(ref _looks));
    }

    /// <summary>Does something when the server is there and the job is not.</summary>
    private sealed class OpeningView(Action act) : IRunView
    {
        public void Opening(RunHeadline headline) => act();

        public void RoundEnded(RunProgress progress)
        {
        }

        public ValueTask ClosingAsync(RunSummary summary, string folder) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class FullDiskView : IRunView
    {
        public void Opening(RunHeadline headline)
        {
        }

        public void RoundEnded(RunProgress progress) => throw new IOException("No space left on device.");

        public ValueTask ClosingAsync(RunSummary summary, string folder) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class StoppingView(CancellationTokenSource stop, int afterRounds) : IRunView
    {
        public void Opening(RunHeadline headline)
        {
        }

        public void RoundEnded(RunProgress progress)
        {
            if (progress.Rounds >= afterRounds)
            {
                stop.Cancel();
            }
        }

        public ValueTask ClosingAsync(RunSummary summary, string folder) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
