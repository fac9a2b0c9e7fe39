using System.Text.Json;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Jobs;
using Federated.Testing;
using Grpc.Net.Client;

namespace Federated.EndToEnd.Tests;

/// <summary>The programs as a person runs them: a server, three clients with their own data, and the command line.</summary>
public sealed class TwoProcessTests : IAsyncDisposable
{
    private const int Rounds = 3;
    private const int ExamplesPerClient = 300;

    private readonly TemporaryFolder _folder = new();
    private readonly List<IAsyncDisposable> _processes = [];

    [Fact]
    public async Task Job_WithAClientKilledAndRestartedDuringARound_Completes()
    {
        ServerProcess server = await ServerProcess.StartAsync(Path.Combine(_folder.Path, "store"));
        _processes.Add(server);
        string jobId = (await CommandAsync(server, "jobs", "submit", await WriteSpecAsync())).GetProperty("jobId").GetString()!;

        // However late the kill comes, the server has no update of the third client by then.
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        WatchedGateway gateway = await WatchedGateway.OpenAsync(channel);
        _processes.Add(gateway);
        gateway.Messages.Submissions = new TaskCompletionSource().Task;
        ProgramRun[] clients = [.. Enumerable.Range(0, 3).Select(i => StartClient(i == 2 ? gateway.Address : server.GrpcAddress, i))];

        // The package comes with the first assignment, before training: whoever has it is in the middle of round 1.
        string packages = Path.Combine(StateOf(2), "packages");
        await Eventually.HoldsAsync("the third client is assigned", () =>
        {
            Assert.False(clients[2].HasEnded, clients[2].Said);
            return Directory.Exists(packages) && Directory.EnumerateFileSystemEntries(packages).Any();
        });
        await clients[2].KillAsync();
        Assert.DoesNotContain(clients[2].Output, line => line.Contains("\"Accepted\"", StringComparison.Ordinal));
        clients[2] = StartClient(server.GrpcAddress, 2);

        JobStatus end = await RunningServer.EndAsync(server.Api, jobId);
        Assert.True(end.State == JobState.Completed, $"{end.State}: {end.Reason}. {server.Said}");
        JsonElement shown = await CommandAsync(server, "jobs", "show", jobId);
        AssertShown(shown);
        JsonElement model = Assert.Single((await CommandAsync(server, "models", "list")).EnumerateArray());
        Assert.Equal(jobId, model.GetProperty("jobId").GetString());
        Assert.Equal(Rounds, model.GetProperty("version").GetInt64());
        Assert.Equal(end.AdapterSha256, model.GetProperty("adapterSha256").GetString());
        Assert.All(clients, client => Assert.Contains(client.Output, line => line.Contains("\"Accepted\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task JobsSubmit_ImpossibleSpec_ExitsWithTwo()
    {
        string file = Path.Combine(_folder.Path, "broken.json");
        await File.WriteAllTextAsync(file, "{ \"name\": \"x\" }", TestContext.Current.CancellationToken);
        ServerProcess server = await ServerProcess.StartAsync(Path.Combine(_folder.Path, "store"));
        _processes.Add(server);

        (int exitCode, string output) = await ProgramRun.RunAsync("Federated.Server", "jobs", "submit", file, "--server", server.ApiAddress.ToString(), "--json");

        Assert.Equal(2, exitCode);
        Assert.Empty(output);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable process in _processes)
        {
            await process.DisposeAsync();
        }

        _folder.Dispose();
    }

    private static void AssertShown(JsonElement shown)
    {
        Assert.Equal("completed", shown.GetProperty("job").GetProperty("state").GetString());
        JsonElement[] rounds = [.. shown.GetProperty("rounds").EnumerateArray()];
        Assert.Equal(Rounds, rounds.Length);
        foreach (JsonElement round in rounds)
        {
            Assert.Equal("committed", round.GetProperty("outcome").GetString());
            Assert.Equal(["client-0", "client-1", "client-2"], round.GetProperty("contributors").EnumerateArray().Select(device => device.GetString()));
            Assert.Equal(3L * ExamplesPerClient, round.GetProperty("examples").GetInt64());
            Assert.True(round.GetProperty("bytesUp").GetInt64() > 0);
        }

        // An untrained model guesses one digit in ten.
        double accuracy = rounds[^1].GetProperty("evaluation").GetProperty("accuracy").GetDouble();
        Assert.True(accuracy > 0.6, $"The accuracy is {accuracy}.");
    }

    private string StateOf(int client) => Path.Combine(_folder.Path, $"client-{client}");

    private ProgramRun StartClient(Uri server, int index)
    {
        ProgramRun client = ProgramRun.Start(
            "Federated.Client",
            "run", "--server", server.ToString(), "--device-id", $"client-{index}", "--population", "homes", "--state", StateOf(index), "--json",
            "--data", $"idx:images={Mnist.TrainImages},labels={Mnist.TrainLabels},slice={index * ExamplesPerClient}:{ExamplesPerClient}");
        _processes.Add(client);
        return client;
    }

    private static async Task<JsonElement> CommandAsync(ServerProcess server, params string[] command)
    {
        (int exitCode, string output) = await ProgramRun.RunAsync("Federated.Server", [.. command, "--server", server.ApiAddress.ToString(), "--json"]);
        Assert.True(exitCode == 0, $"'{string.Join(' ', command)}' ended with {exitCode}: {output}");
        return JsonSerializer.Deserialize<JsonElement>(output);
    }

    private async Task<string> WriteSpecAsync()
    {
        string file = Path.Combine(_folder.Path, "job.json");
        await File.WriteAllTextAsync(
            file,
            $$"""
            {
              "name": "digits", "population": "homes", "rounds": {{Rounds}},
              "model": { "builder": "mlp", "hidden": [100] },
              "cohort": { "goal": 3, "overSelection": 1.0, "quorum": 1.0 },
              "training": { "epochs": 60, "batchSize": 10, "learningRate": 0.05 },
              "evaluation": { "data": { "kind": "idx", "images": "{{Mnist.TestImages}}", "labels": "{{Mnist.TestLabels}}" } }
            }
            """,
            TestContext.Current.CancellationToken);
        return file;
    }
}
