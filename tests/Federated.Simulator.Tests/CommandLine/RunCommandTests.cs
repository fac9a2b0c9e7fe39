using System.Text.Json.Nodes;
using Federated.Server.Api;
using Federated.Server.Hosting;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Federated.Simulator.Runs;
using Federated.Simulator.Scenarios;
using Federated.Simulator.Tests.Runs;
using Federated.Testing;
using Microsoft.Extensions.Logging;

namespace Federated.Simulator.Tests.CommandLine;

public sealed class RunCommandTests
{
    [Theory]
    [InlineData("--scenario", "mnist-2nn-iid")]
    [InlineData("--set", "goal=5")]
    [InlineData("--seed", "2")]
    [InlineData("--engine", "onnx")]
    [InlineData("--out", "elsewhere")]
    [InlineData("--data", "elsewhere")]
    [InlineData("--server", "http://localhost:5400")]
    public void Parse_ResumeWithWhatWouldChangeTheRun_IsRefused(string option, string value)
    {
        string[] errors = [.. SimulatorCommandLine.Build().Parse(["run", "--resume", "folder", option, value]).Errors.Select(error => error.Message)];
        Assert.Contains(option, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_ServerElsewhere_DoesNotDemandTheBaseThatTheServerReads()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        string scenario = Path.Combine(folder.Path, "toy.json");
        await File.WriteAllTextAsync(scenario, SmallDigits.Text, TestContext.Current.CancellationToken);
        RunArguments arguments = new()
        {
            Scenario = scenario,
            Overrides = ["job.model.base=/on/the/server/base.safetensors"],
            Out = Path.Combine(folder.Path, "run"),
            Server = "http://127.0.0.1:1",
            Quiet = true,
        };

        // What is missing is the server.
        await Assert.ThrowsAsync<ServerApiException>(() => RunCommand.RunAsync(arguments, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task RunAsync_ResumeWithoutWhatTheRunBeganWith_DemandsNoMoreThanItReads()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        ReadScenario begun = ScenarioReader.Read(
            SmallDigits.Text,
            [
                "job.model.base=/gone/base.safetensors",
                """pretraining={ "data": { "kind": "idx", "images": "/gone/images", "labels": "/gone/labels" }, "stages": [{}] }""",
            ]);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "scenario.json"), begun.Json, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "run.json"), "null", TestContext.Current.CancellationToken);

        // What is wrong is where the run stood.
        InvalidDataException refused = await Assert.ThrowsAsync<InvalidDataException>(
            () => RunCommand.RunAsync(new RunArguments { Resume = folder.Path, Quiet = true }, TestContext.Current.CancellationToken));
        Assert.Contains("run.json", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_TwoRunsOnOneServer_TrainTheirOwnJobsAlone()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        string scenario = Path.Combine(folder.Path, "toy.json");
        await File.WriteAllTextAsync(scenario, SmallDigits.Text, TestContext.Current.CancellationToken);
        await using FederatedServer server = await FederatedServer.StartAsync(
            new ServerOptions
            {
                GrpcPort = 0,
                ApiPort = 0,
                Threads = 1,
                LogLevel = LogLevel.Critical,
                Storage = new StorageOptions { Kind = StorageKind.Files, Path = Path.Combine(folder.Path, "store") },
                Selection = new SelectionOptions { Pace = new PaceOptions { MinRetry = TimeSpan.FromMilliseconds(10), MaxRetry = TimeSpan.FromMilliseconds(100) } },
            },
            TestContext.Current.CancellationToken);
        RunArguments Arguments(string name, ulong seed, bool attached) => new()
        {
            Scenario = scenario,
            Seed = seed,
            Threads = 1,
            Out = Path.Combine(folder.Path, name),
            Server = attached ? server.ApiAddress.ToString() : null,
            Json = true,
        };
        async Task<string> AdapterAsync(RunArguments arguments)
        {
            Assert.Equal(ExitCodes.Success, await RunCommand.RunAsync(arguments, TestContext.Current.CancellationToken));
            string summary = await File.ReadAllTextAsync(Path.Combine(arguments.Out!, "summary.json"), TestContext.Current.CancellationToken);
            return (string)JsonNode.Parse(summary)!["adapterSha256"]!;
        }

        string[] together = await Task.WhenAll(AdapterAsync(Arguments("first", 1, attached: true)), AdapterAsync(Arguments("second", 2, attached: true)));
        string[] alone = [await AdapterAsync(Arguments("third", 1, attached: false)), await AdapterAsync(Arguments("fourth", 2, attached: false))];

        Assert.Equal(alone, together);
        using ServerApiClient api = new(server.ApiAddress);
        string[] populations = [.. (await api.JobsAsync(TestContext.Current.CancellationToken)).Select(job => job.Population)];
        Assert.Equal(2, populations.Distinct().Count());
        Assert.All(populations, population => Assert.StartsWith("toy-", population, StringComparison.Ordinal));
    }

    [Fact]
    public async Task PrintAsync_AnOutputThatTakesNothing_TellsWhereTheAccountIs()
    {
        using TemporaryFolder folder = new();
        RunFolder results = RunFolder.Open("run", "toy", 1, folder.Path);
        RunBrokenException broken = await Assert.ThrowsAsync<RunBrokenException>(
            () => RunCommand.PrintAsync(() => throw new IOException("No space left on device"), results));
        Assert.Equal($"The run is over and its account is in {results.SummaryPath}, but it could not be printed: No space left on device", broken.Message);
    }

    [Fact]
    public void Parse_ResumeWithHowToShowIt_IsAccepted() =>
        Assert.Empty(SimulatorCommandLine.Build().Parse(["run", "--resume", "folder", "--threads", "1", "--json", "--keep-serving"]).Errors);
}
