using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Federated.EndToEnd.Tests.Scene;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary>A device keeps what its own training made of the shared model, compares the two on examples it holds out, and answers other programs on it.</summary>
public sealed class PersonalModelTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<IAsyncDisposable> _processes = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string State => Path.Combine(_folder.Path, "state");

    [Fact]
    public async Task AfterARound_TheModelTunedHere_IsComparedAndAnswers()
    {
        await ContributeAsync();

        (int code, string answers) = await ProgramRun.RunAsync(
            "Federated.Client", "predict", "--state", State, "--json", "--data", $"idx:images={Mnist.TestImages},labels={Mnist.TestLabels},slice=0:200");
        Assert.Equal(0, code);
        JsonElement[] lines = [.. answers.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
        Assert.Equal(Enumerable.Range(0, 200), lines.Select(line => line.GetProperty("example").GetInt32()));
        byte[] labels = await UnzipAsync(Mnist.TestLabels);
        int right = lines.Where((line, i) => line.GetProperty("class").GetInt32() == labels[8 + i]).Count();
        Assert.True(right > 120, $"{right} of 200 digits are told rightly.");

        string socket = Path.Combine(_folder.Path, "model.sock");
        ProgramRun service = Start("predict", "--state", State, "--job", "digits-1", "--socket", socket);
        Assert.Equal($"Answering on unix:{socket}", await service.FirstLineAsync());
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(socket));
        }

        using HttpClient http = OverSocket(socket);
        JsonElement told = await http.GetFromJsonAsync<JsonElement>("/", Cancelled);
        Assert.Equal("personal", told.GetProperty("model").GetString());
        Assert.Equal(1, told.GetProperty("round").GetInt64());
        Assert.InRange(told.GetProperty("personal").GetProperty("heldOutExamples").GetInt64(), 30, 90);
        Assert.True(told.GetProperty("personal").GetProperty("loss").GetDouble() < told.GetProperty("shared").GetProperty("loss").GetDouble());

        byte[] images = await UnzipAsync(Mnist.TestImages);
        float[][] two = [Pixels(images, 0), Pixels(images, 1)];
        JsonElement answer = await (await http.PostAsync("/predict", new StringContent(JsonSerializer.Serialize(new { inputs = two })), Cancelled)).Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        JsonElement[] outputs = [.. answer.GetProperty("outputs").EnumerateArray()];
        Assert.Equal(lines.Take(2).Select(line => line.GetProperty("class").GetInt32()), outputs.Select(output => output.GetProperty("class").GetInt32()));
        Assert.All(outputs, output => Assert.Equal(1, output.GetProperty("probabilities").EnumerateArray().Sum(p => p.GetDouble()), 5));

        await AssertRefusalsAsync(http);
        Assert.False(service.HasEnded);
    }

    [Fact]
    public async Task Predict_NothingKept_SaysWhatToDo()
    {
        Directory.CreateDirectory(Path.Combine(State, "packages"));
        ProgramRun run = Start("predict", "--state", State, "--port", "0");

        Assert.Equal(2, await run.EndAsync());
        Assert.Contains("Run the agent with --personal", run.Said, StringComparison.Ordinal);
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

    private static async Task AssertRefusalsAsync(HttpClient http)
    {
        (string Body, string Said)[] wrong =
        [
            ("{\"inputs\":[[1,2,3]]}", "inputs[0] has 3 numbers; package"),
            ("{\"inputs\":[[\"a\"]]}", "inputs[0] holds String"),
            ("{\"inputs\":[]}", "inputs is empty"),
            ("[1]", "The body is not {\"inputs\""),
            ("{", "The body is not JSON"),
        ];
        foreach ((string body, string said) in wrong)
        {
            using StringContent content = new(body);
            using HttpResponseMessage refusal = await http.PostAsync("/predict", content, Cancelled);
            Assert.Equal(HttpStatusCode.BadRequest, refusal.StatusCode);
            Assert.StartsWith(said, (await refusal.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("error").GetString(), StringComparison.Ordinal);
        }

        // .NET sends JSON in chunks.
        Assert.Equal(HttpStatusCode.LengthRequired, (await http.PostAsJsonAsync("/predict", new { inputs = 1 }, Cancelled)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await http.GetAsync("/predict", Cancelled)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/else", Cancelled)).StatusCode);
    }

    private async Task ContributeAsync()
    {
        ServerProcess server = await ServerProcess.StartAsync(Path.Combine(_folder.Path, "store"));
        _processes.Add(server);
        string spec = Path.Combine(_folder.Path, "job.json");
        await File.WriteAllTextAsync(
            spec,
            """
            {
              "name": "digits", "population": "homes", "rounds": 1,
              "model": { "builder": "mlp", "hidden": [50] },
              "cohort": { "goal": 1, "overSelection": 1.0, "quorum": 1.0 },
              "training": { "epochs": 20, "batchSize": 10, "learningRate": 0.05 }
            }
            """,
            Cancelled);
        (int submitted, string said) = await ProgramRun.RunAsync("Federated.Server", "jobs", "submit", spec, "--server", server.ApiAddress.ToString(), "--json");
        Assert.True(submitted == 0, said);
        ProgramRun agent = Start(
            "run", "--server", server.GrpcAddress.ToString(), "--device-id", "one", "--population", "homes", "--state", State, "--personal", "--rounds", "1",
            "--data", $"idx:images={Mnist.TrainImages},labels={Mnist.TrainLabels},slice=0:300,holdout=0.2");
        Assert.True(await agent.EndAsync() == 0, agent.Said);
        Assert.Contains("held-out examples the shared model has loss", agent.Said, StringComparison.Ordinal);
    }

    private ProgramRun Start(params string[] command)
    {
        ProgramRun run = ProgramRun.Start("Federated.Client", command);
        _processes.Add(run);
        return run;
    }

    private static async Task<byte[]> UnzipAsync(string file)
    {
        await using GZipStream zipped = new(File.OpenRead(file), CompressionMode.Decompress);
        using MemoryStream content = new();
        await zipped.CopyToAsync(content, Cancelled);
        return content.ToArray();
    }

    private static float[] Pixels(byte[] images, int index) => [.. images.Skip(16 + (index * 784)).Take(784).Select(pixel => pixel / 255f)];

    private static HttpClient OverSocket(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, ct) =>
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://model/"),
    };
}
