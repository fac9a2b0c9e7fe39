using System.Net;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Access;
using Federated.Server.Hosting;
using Federated.Server.Storage;
using Federated.Testing;
using Microsoft.Extensions.Logging;

namespace Federated.EndToEnd.Tests.Access;

/// <summary>The real server on free loopback ports, with access as told, and a plain HTTP client without cookies or redirects of its own.</summary>
internal sealed class GuardedServer : IAsyncDisposable
{
    public const string OperatorToken = "operator-token-of-the-tests-0123456789";
    public const string ViewerToken = "viewer-token-of-the-tests-0123456789ab";

    private readonly TemporaryFolder _folder = new();

    private GuardedServer(FederatedServer server, TemporaryFolder folder)
    {
        Server = server;
        _folder = folder;
        Http = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = server.ApiAddress };
    }

    public FederatedServer Server { get; }

    public HttpClient Http { get; }

    public static async Task<GuardedServer> StartAsync(
        AccessOptions? access = null, IPAddress? apiAddress = null, Uri? publicAddress = null, TimeProvider? time = null)
    {
        TemporaryFolder folder = new();
        return new GuardedServer(
            await FederatedServer.StartAsync(new ServerOptions
            {
                GrpcPort = 0,
                ApiPort = 0,
                ApiAddress = apiAddress ?? IPAddress.Loopback,
                ApiPublicAddress = publicAddress,
                Time = time ?? TimeProvider.System,
                Threads = 1,
                Storage = new StorageOptions { Kind = StorageKind.Files, Path = folder.Path },
                LogLevel = LogLevel.Critical,
                Access = access ?? new AccessOptions { OperatorToken = OperatorToken, ViewerToken = ViewerToken },
            }),
            folder);
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? token = null, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        HttpRequestMessage request = new(method, new Uri(path, UriKind.Relative)) { Content = content };
        if (token is not null)
        {
            request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", token);
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Returns once the server says that it can do its work: on a busy machine a look at the store may last longer than it waits for one.</summary>
    public Task IsReadyAsync() => Eventually.GetAsync("the server is ready", async () =>
    {
        using HttpResponseMessage answer = await SendAsync(HttpMethod.Get, "readyz");
        string said = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return said == "Healthy" ? said : null;
    });

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        _folder.Dispose();
    }
}
