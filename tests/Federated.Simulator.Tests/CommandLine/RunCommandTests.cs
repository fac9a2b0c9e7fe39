using Federated.Simulator.CommandLine;

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
    public void Parse_ResumeWithHowToShowIt_IsAccepted() =>
        Assert.Empty(SimulatorCommandLine.Build().Parse(["run", "--resume", "folder", "--threads", "1", "--json", "--keep-serving"]).Errors);
}
