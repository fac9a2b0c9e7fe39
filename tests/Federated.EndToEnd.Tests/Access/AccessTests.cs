using System.Net;
using Federated.Server.Access;
using Federated.Server.Api;
using Federated.Server.Hosting;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.EndToEnd.Tests.Access;

public sealed class AccessTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Api_WithoutToken_IsRefusedWithACode()
    {
        await using GuardedServer server = await GuardedServer.StartAsync();

        using HttpResponseMessage response = await server.SendAsync(HttpMethod.Get, "api/v1/jobs");

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
        Assert.Contains("\"code\":1200", await response.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not-the-token-of-anybody-0123456789")]
    [InlineData("")]
    [InlineData(" ")]
    public async Task Api_WrongToken_IsRefused(string token)
    {
        await using GuardedServer server = await GuardedServer.StartAsync();
        using HttpResponseMessage response = await server.SendAsync(
            HttpMethod.Get, "api/v1/jobs", headers: ("Authorization", $"Bearer {token}"));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task Roles_ViewerLooksAndOperatorChanges()
    {
        await using GuardedServer server = await GuardedServer.StartAsync();
        using ServerApiClient viewer = new(server.Server.ApiAddress, token: GuardedServer.ViewerToken);
        using ServerApiClient boss = new(server.Server.ApiAddress, token: GuardedServer.OperatorToken);

        Assert.Empty(await viewer.JobsAsync(Stop));
        Assert.Equal(new Caller("given viewer", AccessRole.Viewer, Demanded: true), await viewer.CallerAsync(Stop));
        Assert.Equal(AccessRole.Operator, (await boss.CallerAsync(Stop)).Role);
        ServerApiException refused = await Assert.ThrowsAsync<ServerApiException>(() => viewer.CancelJobAsync("x", Stop));
        Assert.Equal((int)ErrorCode.NotAllowed, refused.Error!.Code);
        refused = await Assert.ThrowsAsync<ServerApiException>(() => boss.CancelJobAsync("x", Stop));
        Assert.Equal((int)ErrorCode.NotFound, refused.Error!.Code);

        // What tells of secrets is no viewer's business.
        refused = await Assert.ThrowsAsync<ServerApiException>(() => viewer.TokensAsync(Stop));
        Assert.Equal((int)ErrorCode.NotAllowed, refused.Error!.Code);
        refused = await Assert.ThrowsAsync<ServerApiException>(() => viewer.AccessTokensAsync(Stop));
        Assert.Equal((int)ErrorCode.NotAllowed, refused.Error!.Code);
    }

    [Fact]
    public async Task AccessTokens_MadeAndRevoked_GiveAccessInBetweenAndEndTheirLogins()
    {
        await using GuardedServer server = await GuardedServer.StartAsync();
        using ServerApiClient boss = new(server.Server.ApiAddress, token: GuardedServer.OperatorToken);
        NewAccessToken made = await boss.CreateAccessTokenAsync(new AccessTokenRequest("wall-screen", AccessRole.Viewer), Stop);
        using ServerApiClient screen = new(server.Server.ApiAddress, token: made.Text);
        Assert.Equal("wall-screen", (await screen.CallerAsync(Stop)).Name);
        string cookie = await LogInAsync(server, made.Text);
        using (HttpResponseMessage look = await server.SendAsync(HttpMethod.Get, "api/v1/jobs", headers: ("Cookie", cookie)))
        {
            Assert.Equal(HttpStatusCode.OK, look.StatusCode);
        }

        await boss.RevokeAccessTokenAsync(made.Token.Hash[..8], Stop);

        await Assert.ThrowsAsync<ServerApiException>(() => screen.CallerAsync(Stop));
        using HttpResponseMessage after = await server.SendAsync(HttpMethod.Get, "api/v1/jobs", headers: ("Cookie", cookie));
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        Assert.DoesNotContain(made.Text, string.Join(' ', await boss.AccessTokensAsync(Stop)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Login_WithACookie_KeepsTheRoleAndReturnsToThisServerOnly()
    {
        await using GuardedServer server = await GuardedServer.StartAsync();
        string cookie = await LogInAsync(server, GuardedServer.ViewerToken);

        using HttpResponseMessage change = await server.SendAsync(HttpMethod.Post, "api/v1/jobs/x/cancel", headers: ("Cookie", cookie));
        Assert.Equal(HttpStatusCode.Forbidden, change.StatusCode);

        using HttpResponseMessage wrong = await PostLoginAsync(server, "wrong-token", "/");
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.False(wrong.Headers.Contains("Set-Cookie"));
        foreach (string elsewhere in new[] { "//evil.example/", "https://evil.example/", "/\\evil.example" })
        {
            using HttpResponseMessage response = await PostLoginAsync(server, GuardedServer.ViewerToken, elsewhere);
            Assert.Equal("/", response.Headers.Location!.ToString());
        }
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    public async Task Post_FromAnotherSite_IsRefusedEvenWithALogin(string header, string value)
    {
        await using GuardedServer server = await GuardedServer.StartAsync();
        string cookie = await LogInAsync(server, GuardedServer.OperatorToken);

        using HttpResponseMessage response = await server.SendAsync(
            HttpMethod.Post, "api/v1/jobs/x/cancel", null, null, ("Cookie", cookie), (header, value));

        Assert.Contains("\"code\":1202", await response.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Post_FromItsOwnPages_IsTaken()
    {
        await using GuardedServer server = await GuardedServer.StartAsync();
        string cookie = await LogInAsync(server, GuardedServer.OperatorToken);
        string origin = server.Server.ApiAddress.GetLeftPart(UriPartial.Authority);

        using HttpResponseMessage response = await server.SendAsync(
            HttpMethod.Post, "api/v1/jobs/x/cancel", null, null, ("Cookie", cookie), ("Origin", origin));

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData("https://fed.example.org", HttpStatusCode.NotFound)]
    [InlineData("http://fed.example.org", HttpStatusCode.Forbidden)]
    [InlineData("http://127.0.0.1", HttpStatusCode.Forbidden)]
    public async Task Post_BehindAProxy_IsTakenFromThePagesOfThePublicAddressAlone(string origin, HttpStatusCode expected)
    {
        await using GuardedServer server = await GuardedServer.StartAsync(publicAddress: new Uri("https://fed.example.org/"));
        string cookie = await LogInAsync(server, GuardedServer.OperatorToken);

        using HttpResponseMessage response = await server.SendAsync(
            HttpMethod.Post, "api/v1/jobs/x/cancel", null, null, ("Cookie", cookie), ("Origin", origin));

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task PublicAddress_WithoutTokens_DemandsAccess()
    {
        await using GuardedServer server = await GuardedServer.StartAsync(new AccessOptions(), publicAddress: new Uri("https://fed.example.org/"));
        using ServerApiClient stranger = new(server.Server.ApiAddress);

        await Assert.ThrowsAsync<ServerApiException>(() => stranger.JobsAsync(Stop));
        Assert.NotNull(server.Server.FirstOperatorToken);
    }

    [Theory]
    [InlineData("http://fed.example.org/")]
    [InlineData("https://fed.example.org/federated/")]
    [InlineData("https://fed.example.org/?a=b")]
    [InlineData("https://ada@fed.example.org/")]
    public async Task PublicAddress_ThatIsNone_DoesNotStart(string address)
    {
        RefusedOptionsException refused = await Assert.ThrowsAsync<RefusedOptionsException>(
            () => GuardedServer.StartAsync(publicAddress: new Uri(address)));
        Assert.Contains(address, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenServer_UnderAForeignNameOrFromAForeignPage_IsRefused()
    {
        await using GuardedServer server = await GuardedServer.StartAsync(new AccessOptions());

        using HttpResponseMessage own = await server.SendAsync(HttpMethod.Get, "api/v1/jobs");
        using HttpResponseMessage rebound = await server.SendAsync(HttpMethod.Get, "api/v1/jobs", headers: ("Host", "rebound.example"));
        using HttpResponseMessage foreign = await server.SendAsync(HttpMethod.Post, "api/v1/jobs/x/cancel", headers: ("Origin", "https://evil.example"));

        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, rebound.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
    }

    [Fact]
    public async Task OffLoopback_WithoutTokens_OneIsMadeForTheFirstOperator()
    {
        await using GuardedServer server = await GuardedServer.StartAsync(new AccessOptions(), IPAddress.Any);
        using ServerApiClient stranger = new(server.Server.ApiAddress);
        using ServerApiClient boss = new(server.Server.ApiAddress, token: server.Server.FirstOperatorToken);

        await Assert.ThrowsAsync<ServerApiException>(() => stranger.JobsAsync(Stop));
        Assert.Equal(AccessRole.Operator, (await boss.CallerAsync(Stop)).Role);
    }

    [Fact]
    public async Task OffLoopback_WithAccessNotDemanded_DoesNotStart()
    {
        RefusedOptionsException refused = await Assert.ThrowsAsync<RefusedOptionsException>(
            () => GuardedServer.StartAsync(new AccessOptions { Demanded = false }, IPAddress.Any));
        Assert.Contains("reaches beyond this machine", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ShortToken_DoesNotStart()
    {
        await Assert.ThrowsAsync<RefusedOptionsException>(() => GuardedServer.StartAsync(new AccessOptions { OperatorToken = "secret" }));
    }

    [Fact]
    public async Task DevicePort_HasNoApi()
    {
        await using GuardedServer server = await GuardedServer.StartAsync(new AccessOptions());
        using HttpClient http = new() { BaseAddress = server.Server.GrpcAddress };
        foreach (string path in new[] { "api/v1/jobs", "healthz", "access/login" })
        {
            using HttpRequestMessage request = new(HttpMethod.Get, path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using HttpResponseMessage response = await http.SendAsync(request, Stop);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    private static async Task<string> LogInAsync(GuardedServer server, string token)
    {
        using HttpResponseMessage response = await PostLoginAsync(server, token, "/jobs");
        Assert.Equal("/jobs", response.Headers.Location!.ToString());
        string cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        return cookie.Split(';')[0];
    }

    private static Task<HttpResponseMessage> PostLoginAsync(GuardedServer server, string token, string returnUrl) => server.SendAsync(
        HttpMethod.Post, "access/login", content: new FormUrlEncodedContent([new("token", token), new("returnUrl", returnUrl)]));
}
