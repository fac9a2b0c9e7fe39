using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Testing;

namespace Federated.EndToEnd.Tests.Access;

/// <summary>The command line against a server that demands access: every verb that calls it hands on the caller's token.</summary>
public sealed class AccessProgramTests : IDisposable
{
    private const string Spec = """
        { "name": "small", "population": "p", "rounds": 1, "model": { "builder": "mlp", "inputs": 4, "hidden": [3], "classes": 2 }, "cohort": { "goal": 1 } }
        """;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Models_ExportAndImport_HandOnTheToken()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        await using GuardedServer guarded = await GuardedServer.StartAsync();
        string server = guarded.Server.ApiAddress.ToString();
        using ServerApiClient api = new(guarded.Server.ApiAddress, token: GuardedServer.OperatorToken);
        JobStatus job = await api.SubmitJobAsync(Spec, ct);
        string viewer = await WriteAsync("viewer", GuardedServer.ViewerToken);
        string operatorFile = await WriteAsync("operator", GuardedServer.OperatorToken);
        string exported = Path.Combine(_folder.Path, "exported");

        (int withoutToken, _) = await RunAsync("models", "export", job.JobId, "--format", "onnx", "--out", exported, "--server", server);
        (int asViewer, string output) = await RunAsync("models", "export", job.JobId, "--format", "onnx", "--out", exported, "--server", server, "--token-file", viewer);
        string[] import = ["models", "import", Directory.GetFiles(exported, "*.onnx").Single(), "--task", "classification", "--trainable", "all", "--server", server];
        (int importAsViewer, _) = await RunAsync([.. import, "--token-file", viewer]);
        (int importAsOperator, string imported) = await RunAsync([.. import, "--token-file", operatorFile]);

        Assert.Equal(2, withoutToken);
        Assert.True(asViewer == 0, output);
        Assert.Equal(2, importAsViewer);
        Assert.True(importAsOperator == 0, imported);
    }

    public void Dispose() => _folder.Dispose();

    private static Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) => ProgramRun.RunAsync("Federated.Server", arguments);

    private async Task<string> WriteAsync(string name, string token)
    {
        string file = Path.Combine(_folder.Path, name);
        await File.WriteAllTextAsync(file, token + "\n", TestContext.Current.CancellationToken);
        return file;
    }
}
