using System.CommandLine;
using Federated.Server.Jobs;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Tests.Runs;
using Federated.Testing;

namespace Federated.Simulator.Tests.CommandLine;

public sealed class CentralCommandsTests
{
    private const string Pretraining = """pretraining={ "data": { "kind": "idx", "images": "train-images", "labels": "train-labels" }, "stages": [{ "epochs": 1 }] }""";

    private static readonly string _adapter = new('a', 64);

    [Theory]
    [InlineData("central", """job.model={"package":"X"}""", "job.model.package")]
    [InlineData("pretrain", """job.model={"package":"X"}""", "job.model.package")]
    [InlineData("central", """job.model={"builder":"vector","parameters":10}""", "job.model.builder")]
    [InlineData("central", "job.model.base=SHA256", "job.model.base")]
    [InlineData("central", """job.training.directions={"count":8}""", "job.training.directions")]
    public async Task Invoke_AModelThatIsNotBuiltHere_IsRefusedByItsPath(string command, string assignment, string path)
    {
        using TemporaryFolder folder = new();
        InvalidSettingsException refused = await Assert.ThrowsAsync<InvalidSettingsException>(
            () => InvokeAsync(folder, command, "--set", "job.evaluation=null", "--set", Pretraining, "--set", assignment.Replace("SHA256", _adapter, StringComparison.Ordinal)));
        Assert.Equal(path, Assert.Single(refused.Problems).Path);
    }

    [Theory]
    [InlineData("--seed", "-1", "a whole number 0 to 18446744073709551615")]
    [InlineData("--threads", "0", "a whole number 1 to 1024")]
    [InlineData("--epochs", "many", "a whole number 0 to 2147483647")]
    public void Parse_ANumberThatIsNone_IsRefusedByWhatIsAllowed(string option, string value, string allowed) => Assert.Equal(
        $"{option}: {value} is not allowed; allowed is {allowed}",
        Assert.Single(SimulatorCommandLine.Build().Parse(["central", "--scenario", "x", option, value]).Errors).Message);

    [Theory]
    [InlineData("--seconds", "1,5", "a number")]
    [InlineData("--seconds", "NaN", "a number")]
    [InlineData("--seconds", "0.5", "1 to 86400")]
    [InlineData("--pause", "1e300", "0 to 3600")]
    [InlineData("--devices", "-1", "a whole number 0 to 2147483647")]
    [InlineData("--repeats", "101", "1 to 100")]
    public void Parse_ANumberThatTheBenchCannotHave_IsRefusedByWhatIsAllowed(string option, string value, string allowed) => Assert.Equal(
        $"{option}: {value} is not allowed; allowed is {allowed}",
        Assert.Single(SimulatorCommandLine.Build().Parse(["bench", "statistics", option, value]).Errors).Message);

    [Fact]
    public async Task Invoke_PretrainIntoANewFolder_WritesTheBaseAndReadsNoDevicesExamples()
    {
        using TemporaryFolder folder = new();
        string file = Path.Combine(folder.Path, "bases", "toy.safetensors");

        int code = await InvokeAsync(
            folder, "pretrain", "--json", "--threads", "1", "--out", file, "--set", Pretraining, "--set", "data.images=nowhere", "--set", $"job.model.base={_adapter}");

        Assert.Equal(ExitCodes.Success, code);
        Assert.True(File.Exists(file));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1001")]
    public async Task Invoke_PassesThatNoPlanTakes_AreRefused(string epochs)
    {
        using TemporaryFolder folder = new();
        InvalidSettingsException refused = await Assert.ThrowsAsync<InvalidSettingsException>(() => InvokeAsync(folder, "central", "--epochs", epochs));
        Assert.Equal($"--epochs: {epochs} is not allowed; allowed is 1 to 1000", Assert.Single(refused.Problems).ToString());
    }

    private static async Task<int> InvokeAsync(TemporaryFolder folder, string command, params string[] arguments)
    {
        SmallDigits.Write(folder.Path);
        string scenario = Path.Combine(folder.Path, "toy.json");
        await File.WriteAllTextAsync(scenario, SmallDigits.Text, TestContext.Current.CancellationToken);
        return await SimulatorCommandLine.Build().Parse([command, "--scenario", scenario, .. arguments])
            .InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, TestContext.Current.CancellationToken);
    }
}
