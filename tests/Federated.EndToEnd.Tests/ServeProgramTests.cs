using System.Net;
using System.Net.Sockets;
using Federated.EndToEnd.Tests.Scene;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary><c>serve</c> as a process: how it ends, and what it says of a store in trouble.</summary>
public sealed class ServeProgramTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Serve_TerminatedWhileACallIsUnderWay_LetsItEndAndExitsWithZero()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(_folder.Path);
        using TcpClient caller = new();
        await caller.ConnectAsync(IPAddress.Loopback, server.ApiAddress.Port, Stop);
        NetworkStream line = caller.GetStream();
        await line.WriteAsync("PUT /api/v1/objects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"u8.ToArray(), Stop);
        using StreamReader answer = new(line, leaveOpen: true);

        // The server reads: the call is under way.
        Assert.Equal("HTTP/1.1 100 Continue", await answer.ReadLineAsync(Stop));
        server.Terminate();
        Task<int> end = server.EndAsync();
        await Assert.ThrowsAsync<TimeoutException>(() => end.WaitAsync(TimeSpan.FromSeconds(4), TimeProvider.System, Stop));
        await line.WriteAsync("ab"u8.ToArray(), Stop);

        Assert.Equal("", await answer.ReadLineAsync(Stop));
        Assert.Equal("HTTP/1.1 200 OK", await answer.ReadLineAsync(Stop));
        Assert.Equal(0, await end);
    }

    [Theory]
    [InlineData("Devices may connect in clear text on loopback only", "--insecure-loopback", "--address", "0.0.0.0")]
    [InlineData("The operator token has 6 characters", "--insecure-loopback", "--operator-token-file", "secret")]
    [InlineData("Give the token of its operators with --operator-token-file", "--insecure-loopback", "--token-file", "secret")]
    [InlineData("are no certificate with its key", "--insecure-loopback", "--api-certificate", "secret", "--api-key", "secret")]
    [InlineData("The public address of the HTTP port is 'http://fed.example.org/'", "--insecure-loopback", "--api-public-url", "http://fed.example.org/")]
    [InlineData("The authority in", "--authority", "secret")]
    [InlineData("--azure-connection) is not well-formed; expected is", "--insecure-loopback", "--azure-connection", "foo")]
    [InlineData("--threads is 0; allowed is 1 to 1024", "--insecure-loopback", "--threads", "0")]
    [InlineData("--threads is -5; allowed is 1 to 1024", "--insecure-loopback", "--threads", "-5")]
    public async Task Serve_OptionsThatAreRefused_ExitsWithTwoAndSaysWhy(string says, params string[] options)
    {
        string secret = Path.Combine(_folder.Path, "secret");
        await File.WriteAllTextAsync(secret, "secret", Stop);
        string[] arguments = [.. options.Select(option => option == "secret" ? secret : option)];
        await using ProgramRun serve = ProgramRun.Start(
            "Federated.Server", ["serve", "--storage", Path.Combine(_folder.Path, "store"), "--grpc-port", "0", "--api-port", "0", .. arguments]);

        Assert.Equal(2, await serve.EndAsync());
        Assert.Contains("error: ", serve.Said, StringComparison.Ordinal);
        Assert.Contains(says, serve.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_StoreThatCannotBeUsed_BlamesItAndNotTheAuthorityInIt()
    {
        string store = _folder.Write("store", []);
        await using ProgramRun serve = ProgramRun.Start("Federated.Server", "serve", "--storage", store, "--grpc-port", "0", "--api-port", "0", "--require-access");

        Assert.Equal(2, await serve.EndAsync());
        Assert.Contains($"error: The storage folder '{store}' cannot be used: ", serve.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("authority", serve.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_StoreThatTakesNoWrites_IsNotReadyAndSaysSoToWhoeverSubmits()
    {
        // What is in the way stops writes whoever runs the tests.
        string store = Path.Combine(_folder.Path, "store");
        await using ServerProcess server = await ServerProcess.StartAsync(store);
        Directory.CreateDirectory(Path.Combine(store, "health", "probe"));
        await File.WriteAllTextAsync(Path.Combine(store, "holders"), "", Stop);
        string spec = _folder.Write("job.json", """{ "name": "a", "population": "b", "model": { "builder": "vector", "parameters": 4 } }"""u8.ToArray());
        await using ProgramRun submit = ProgramRun.Start("Federated.Server", "jobs", "submit", spec, "--server", server.ApiAddress.ToString());
        using HttpClient http = new();
        using HttpResponseMessage ready = await http.GetAsync(new Uri(server.ApiAddress, "readyz"), Stop);
        string said = await ready.Content.ReadAsStringAsync(Stop);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.StartsWith("Unhealthy: the store takes no writes (", said, StringComparison.Ordinal);
        Assert.DoesNotContain(store, said, StringComparison.Ordinal);
        Assert.Equal(1, await submit.EndAsync());
        Assert.Contains("error: The server's store failed: ", submit.Said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--api-port", "--grpc-port", "port of the HTTP API")]
    [InlineData("--grpc-port", "--api-port", "port for devices")]
    public async Task Serve_PortThatIsTaken_ExitsWithOneAndOneLine(string taken, string free, string what)
    {
        using TcpListener other = new(IPAddress.Loopback, 0);
        other.Start();
        await using ProgramRun serve = ProgramRun.Start(
            "Federated.Server", "serve", "--storage", Path.Combine(_folder.Path, "store"), "--insecure-loopback", free, "0", taken, $"{PortOf(other)}");

        Assert.Equal(1, await serve.EndAsync());
        Assert.Empty(serve.Output);
        Assert.Equal(
            $"error: The {what}, 127.0.0.1:{PortOf(other)}, is taken. End what listens there, or give another port with {taken}; 0 takes a free one.", Assert.Single(serve.Errors));
    }

    [Fact]
    public async Task Serve_AddressOfAnotherMachine_ExitsWithTwoAndOneLine()
    {
        // An address for documents, which no machine has.
        await using ProgramRun serve = ProgramRun.Start(
            "Federated.Server", "serve", "--storage", Path.Combine(_folder.Path, "store"), "--address", "192.0.2.1", "--grpc-port", "0", "--api-port", "0");

        Assert.Equal(2, await serve.EndAsync());
        Assert.Contains("192.0.2.1, which this machine does not have", Assert.Single(serve.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_TerminatedWhileItStarts_SaysSoInOneLine()
    {
        // A store that takes connections and answers nothing.
        using TcpListener store = new(IPAddress.Loopback, 0);
        store.Start();
        string connection = $"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YWFhYQ==;BlobEndpoint=http://127.0.0.1:{PortOf(store)}/a;";
        await using ProgramRun serve = ProgramRun.Start(
            "Federated.Server", "serve", "--azure-connection", connection, "--insecure-loopback", "--grpc-port", "0", "--api-port", "0");
        using TcpClient asks = await store.AcceptTcpClientAsync(Stop);
        serve.Terminate();

        Assert.Equal(130, await serve.EndAsync());
        Assert.Empty(serve.Output);
        Assert.Equal("Stopped before the server was up.", Assert.Single(serve.Errors));
    }

    [Fact]
    public async Task Verb_TerminatedAgainWhileItEnds_KeepsItsExitCode()
    {
        using TcpListener server = new(IPAddress.Loopback, 0);
        server.Start();
        await using ProgramRun list = ProgramRun.Start("Federated.Server", "jobs", "list", "--server", $"http://127.0.0.1:{PortOf(server)}/");
        using TcpClient asks = await server.AcceptTcpClientAsync(Stop);
        for (int i = 0; i < 20; i++)
        {
            list.Terminate();
        }

        Assert.Equal(130, await list.EndAsync());
        Assert.Empty(list.Errors);
    }

    private static int PortOf(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;
}
