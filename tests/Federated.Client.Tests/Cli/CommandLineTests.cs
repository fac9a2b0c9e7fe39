using System.Text.Json;
using Federated.Client.Cli;
using Federated.Client.Tests.Scene;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Grpc.Core;

namespace Federated.Client.Tests.Cli;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData(0, "--help")]
    [InlineData(0, "run --help")]
    [InlineData(0, "--version")]
    [InlineData(2, "walk")]
    [InlineData(2, "run")]
    [InlineData(2, "run --server http://localhost:1 --device-id d --population p --data idx:images=a,labels=b --threads 0")]
    [InlineData(2, "run --server http://localhost:1 --device-id d --population p --data idx:images=a,labels=b --threads many")]
    [InlineData(2, "run --server http://localhost:1 --device-id d --population p --data idx:images=a,labels=b --rounds 0")]
    [InlineData(2, "run --server http://localhost:1 --device-id d --population p --data idx:images=a,labels=b --engine steam")]
    [InlineData(2, "predict --state nowhere")]
    [InlineData(2, "predict --state nowhere --port many")]
    [InlineData(2, "predict --state nowhere --port 0 --socket s")]
    public async Task Run_Arguments_GiveTheExitCode(int code, string arguments) =>
        Assert.Equal(code, (await InvokeAsync(arguments.Split(' '))).Code);

    [Fact]
    public async Task Run_EngineThatIsNotBuiltIn_SaysHowToBuildIt()
    {
        using TemporaryTable table = new();

        (int code, string output, string error) = await InvokeAsync(
            "run", "--server", "http://localhost:1", "--device-id", "d", "--population", "p", "--data", $"csv:path={table.Path},label=y", "--engine", "torch");

        Assert.Equal((2, ""), (code, output));
        Assert.Contains("built without the engine 'torch'. Build it with -p:TorchEngine=true", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_DataSourceThatIsNotBuiltIn_SaysHowToBuildIt()
    {
        (int code, string output, string error) = await InvokeAsync(
            "run", "--server", "http://localhost:1", "--device-id", "d", "--population", "p", "--data", "sqlite:path=examples.db,table=t,label=y");

        Assert.Equal((2, ""), (code, output));
        Assert.Contains("built without the data source 'sqlite'. Build it with -p:SqliteSource=true", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bad id", "p", "csv:path=DATA,label=y", "http://localhost:1", "'bad id' is not an identifier")]
    [InlineData("d", ".p", "csv:path=DATA,label=y", "http://localhost:1", "'.p' is not an identifier")]
    [InlineData("d", "p", "csv:path=DATA,label=y,slice=9:1", "http://localhost:1", "the slice 9:1")]
    [InlineData("d", "p", "csv:path=/no/such/file,label=y", "http://localhost:1", "/no/such/file")]
    [InlineData("d", "p", "csv:path=DATA,label=z", "http://localhost:1", "z")]
    [InlineData("d", "p", "csv:path=DATA,label=y", "ftp://h:1", "ftp://h:1")]
    [InlineData("d", "p", "csv:path=DATA,label=y", "nowhere", "'nowhere' is not a URL")]
    [InlineData("d", "p", "csv:path=DATA,label=y", "http://server.example:5401", "is in clear text and not on this machine")]
    [InlineData("d", "p", "csv:path=DATA,label=y", "https://server.example:5401", "is one for enrolled devices, and this device is none: without --state it has no identity")]
    public async Task Run_BadInput_SaysWhatIsWrong(string device, string population, string data, string server, string message)
    {
        using TemporaryTable table = new();

        (int code, string output, string error) = await InvokeAsync(
            "run", "--server", server, "--device-id", device, "--population", population, "--data", data.Replace("DATA", table.Path, StringComparison.Ordinal));

        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_DataThatIsInUse_IsAFailureThatMayPass()
    {
        using TemporaryTable table = new();
        using FileStream held = new(table.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        (int code, _, string error) = await InvokeAsync(
            "run", "--server", "http://localhost:1", "--device-id", "d", "--population", "p", "--data", $"csv:path={table.Path},label=y");

        Assert.Equal(1, code);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Json_WritesOneObjectASession()
    {
        using TemporaryTable table = new();
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Plan = scene.Plan with
        {
            Package = scene.Script.Add((scene.Manifest with { Gradient = scene.Manifest.Gradient with { LengthBytes = 0 } }).ToBytes()),
        };

        (int code, string output, string error) = await InvokeAsync(
            "run", "--server", scene.Server.Address.ToString(), "--device-id", "d", "--population", "p",
            "--data", $"csv:path={table.Path},label=y", "--label", "board=pi5", "--rounds", "1", "--json");

        Assert.Equal(0, code);
        using JsonDocument line = JsonDocument.Parse(Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal(("Accepted", "job", 7), (
            line.RootElement.GetProperty("result").GetString(),
            line.RootElement.GetProperty("job").GetString(),
            line.RootElement.GetProperty("round").GetInt32()));
        Assert.Contains("Round 7 of job job: contributed 2 examples", error, StringComparison.Ordinal);
        Assert.Equal("pi5", Assert.Single(scene.Script.CheckIns).Labels["board"]);
    }

    [Fact]
    public async Task Run_ServerRefusesTheDevice_NamesTheCodeAndWhatToDo()
    {
        using TemporaryTable table = new();
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.CheckIn = _ => throw Refused(ErrorCode.DeviceRevoked, StatusCode.PermissionDenied);

        (int code, _, string error) = await InvokeAsync(
            "run", "--server", scene.Server.Address.ToString(), "--device-id", "d", "--population", "p", "--data", $"csv:path={table.Path},label=y");

        Assert.Equal(1, code);
        Assert.Contains("refused by the test (1106 DeviceRevoked: Ask the operator;", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ServerIsBusy_LogsTheCode()
    {
        using TemporaryTable table = new();
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.CheckIn = _ => scene.Script.CheckIns.Count < 2 ? throw Refused(ErrorCode.Overloaded, StatusCode.Unavailable) : ServerScript.Later();

        (int code, string output, _) = await InvokeAsync(
            "run", "--server", scene.Server.Address.ToString(), "--device-id", "d", "--population", "p", "--data", $"csv:path={table.Path},label=y", "--until-idle");

        Assert.Equal(0, code);
        Assert.Contains("(1008 Overloaded: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ObjectThatTheServerLacks_LogsTheCode()
    {
        using TemporaryTable table = new();
        await using RoundScene scene = await RoundScene.OpenAsync();
        CheckInReply assignment = RoundScene.Assign((scene.Plan with { Package = ContentHash.Of("nowhere"u8) }).ToBytes());
        scene.Script.CheckIn = _ => scene.Script.CheckIns.Count < 2 ? assignment : ServerScript.Later();

        (int code, string output, _) = await InvokeAsync(
            "run", "--server", scene.Server.Address.ToString(), "--device-id", "d", "--population", "p", "--data", $"csv:path={table.Path},label=y", "--until-idle");

        Assert.Equal(0, code);
        Assert.Contains("given up. TransferFailed: ", output, StringComparison.Ordinal);
        Assert.Contains("(1005 NotFound: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Stopped_Gives130AndReportsTheRound()
    {
        using TemporaryTable table = new();
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.HoldSubmissions = new TaskCompletionSource().Task;
        scene.Plan = scene.Plan with
        {
            Package = scene.Script.Add((scene.Manifest with { Gradient = scene.Manifest.Gradient with { LengthBytes = 0 } }).ToBytes()),
        };
        using CancellationTokenSource stop = new();
        Task stopping = scene.Script.SubmissionBegan.Task.ContinueWith(_ => stop.Cancel(), TaskScheduler.Default);
        using StringWriter output = new();
        using StringWriter error = new();

        int code = await CommandLine.RunAsync(
            ["run", "--server", scene.Server.Address.ToString(), "--device-id", "d", "--population", "p", "--data", $"csv:path={table.Path},label=y"],
            output,
            error,
            stop.Token,
            scene.Options);

        await stopping;
        Assert.Equal(130, code);
        Assert.Equal(AbortReason.Interrupted, Assert.Single(scene.Script.Aborts).Reason);
    }

    private static RpcException Refused(ErrorCode code, StatusCode status) =>
        new(new Status(status, "refused by the test"), new Metadata { { ErrorCatalogue.TrailerName, ((int)code).ToString() } });

    private static async Task<(int Code, string Output, string Error)> InvokeAsync(params string[] arguments)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        int code = await CommandLine.RunAsync(arguments, output, error, TestContext.Current.CancellationToken);
        return (code, output.ToString(), error.ToString());
    }

    private sealed class TemporaryTable : IDisposable
    {
        public TemporaryTable() => File.WriteAllText(Path, "a,b,y\n1,2,0\n3,4,1\n");

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
