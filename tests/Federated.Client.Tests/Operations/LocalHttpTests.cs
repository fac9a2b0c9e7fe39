using System.Net;
using System.Net.Sockets;
using Federated.Client.Operations;
using Federated.Client.Tests.Scene;
using Federated.Testing;

namespace Federated.Client.Tests.Operations;

public sealed class LocalHttpTests
{
    private const int MostBytes = 100_000;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(5_000)]
    [InlineData(MostBytes)]
    public async Task Body_IsReadWhole(int length)
    {
        byte[] sent = [.. Enumerable.Range(0, length).Select(i => (byte)(i % 251))];
        byte[] got = [];
        await using LocalHttp http = LocalHttp.OnPort(
            0,
            MostBytes,
            (request, _) =>
            {
                got = request.Body.ToArray();
                return Task.FromResult(new LocalAnswer("200 OK", "{}"u8.ToArray()));
            },
            RoundScene.Patience);
        using HttpClient client = new();

        using HttpResponseMessage answer = await client.PostAsync(new Uri(http.Address), new ByteArrayContent(sent), Cancelled);

        Assert.Equal("{}", await answer.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal(sent, got);
    }

    [Fact]
    public async Task Body_BeyondTheLimit_IsNotRead()
    {
        await using LocalHttp http = LocalHttp.OnPort(0, MostBytes, (_, _) => throw new InvalidOperationException("not asked"), RoundScene.Patience);
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(http.Address).Port, Cancelled);
        await client.GetStream().WriteAsync("POST / HTTP/1.1\r\nContent-Length: 100001\r\n\r\n"u8.ToArray(), Cancelled);

        using StreamReader reader = new(client.GetStream());
        Assert.Equal("HTTP/1.1 413 Content Too Large", await reader.ReadLineAsync(Cancelled));
    }

    [Fact]
    public async Task Socket_LeftBehind_IsReplaced_AndOneInUseOrAnotherFileIsNot()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "s");
        using (Socket abandoned = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // Whoever is killed does not delete its socket; under another name it is not deleted here either.
            abandoned.Bind(new UnixDomainSocketEndPoint(path + "-bound"));
            File.Move(path + "-bound", path);
        }

        await File.WriteAllTextAsync(Path.Combine(folder.Path, "file"), "content", Cancelled);
        await using (LocalHttp http = LocalHttp.OnSocket(path, 0, (_, _) => Task.FromResult(new LocalAnswer("200 OK", []))))
        {
            Assert.Throws<SocketException>(() => LocalHttp.OnSocket(path, 0, (_, _) => Task.FromResult(new LocalAnswer("200 OK", []))));
            Assert.Throws<SocketException>(() => LocalHttp.OnSocket(Path.Combine(folder.Path, "file"), 0, (_, _) => Task.FromResult(new LocalAnswer("200 OK", []))));
        }

        Assert.False(File.Exists(path));
        Assert.True(File.Exists(Path.Combine(folder.Path, "file")));
    }
}
