using Federated.Server.Api;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Scenarios;
using Federated.Simulator.Tests.Runs;
using Federated.Testing;

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
    public void Parse_ResumeWithHowToShowIt_IsAccepted() =>
        Assert.Empty(SimulatorCommandLine.Build().Parse(["run", "--resume", "folder", "--threads", "1", "--json", "--keep-serving"]).Errors);
}
