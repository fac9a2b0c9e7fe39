using System.Net;
using System.Text.Json;
using Federated.Server.Access;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Federated.EndToEnd.Tests.Access;

/// <summary>A login at a provider, step by step as a browser takes them.</summary>
public sealed class OpenIdConnectTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("federated-operator", "operator")]
    [InlineData("federated-viewer", "viewer")]
    [InlineData("someone-else", null)]
    public async Task Login_AtTheProvider_GivesTheRoleThatItsTokenNames(string claimed, string? role)
    {
        await using IdentityProvider provider = await IdentityProvider.StartAsync();
        provider.Roles = [claimed, "staff"];
        await using GuardedServer server = await GuardedServer.StartAsync(OptionsFor(provider));

        using HttpResponseMessage back = await LogInAsync(server, provider);

        Assert.Equal(HttpStatusCode.Redirect, back.StatusCode);
        if (role is null)
        {
            Assert.Equal("/access/login?failed=provider", back.Headers.Location!.ToString());
            return;
        }

        Assert.Equal("/jobs", back.Headers.Location!.ToString());
        using HttpResponseMessage me = await server.SendAsync(HttpMethod.Get, "api/v1/access/me", headers: ("Cookie", CookiesOf(back)));
        using JsonDocument caller = JsonDocument.Parse(await me.Content.ReadAsStringAsync(Ct));
        Assert.Equal("ada", caller.RootElement.GetProperty("name").GetString());
        Assert.Equal(role, caller.RootElement.GetProperty("role").GetString());
    }

    [Fact]
    public async Task Callback_WithoutItsBeginning_LogsNobodyIn()
    {
        await using IdentityProvider provider = await IdentityProvider.StartAsync();
        await using GuardedServer server = await GuardedServer.StartAsync(OptionsFor(provider));

        using HttpResponseMessage back = await server.SendAsync(HttpMethod.Get, "access/oidc/callback?code=the-code&state=forged");

        Assert.Equal("/access/login?failed=provider", back.Headers.Location!.ToString());
        Assert.DoesNotContain("federated-access", string.Join(' ', back.Headers.TryGetValues("Set-Cookie", out IEnumerable<string>? cookies) ? cookies : []), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Login_AtTheProvider_EndsTwelveHoursLaterHoweverMuchItIsUsed()
    {
        MovableClock clock = new();
        await using IdentityProvider provider = await IdentityProvider.StartAsync();
        provider.Roles = ["federated-operator"];
        await using GuardedServer server = await GuardedServer.StartAsync(OptionsFor(provider), time: clock);
        using HttpResponseMessage back = await LogInAsync(server, provider);

        // Past half of its time the cookie is renewed.
        clock.Offset = TimeSpan.FromHours(7);
        using HttpResponseMessage inBetween = await server.SendAsync(HttpMethod.Get, "api/v1/jobs", headers: ("Cookie", CookiesOf(back)));
        Assert.Equal(HttpStatusCode.OK, inBetween.StatusCode);
        string renewed = CookiesOf(inBetween);

        clock.Offset = TimeSpan.FromHours(12);
        using HttpResponseMessage after = await server.SendAsync(HttpMethod.Get, "api/v1/jobs", headers: ("Cookie", renewed));
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Theory]
    [InlineData("https://fed.example.org")]
    [InlineData("https://fed.example.org:8443/")]
    public async Task Login_BehindAProxyThatEndsTls_ReturnsToThePublicAddressWithSecureCookies(string address)
    {
        Uri known = new(address);
        await using IdentityProvider provider = await IdentityProvider.StartAsync();
        provider.Roles = ["federated-viewer"];
        await using GuardedServer server = await GuardedServer.StartAsync(OptionsFor(provider), publicAddress: known);

        using HttpResponseMessage start = await server.SendAsync(HttpMethod.Get, "access/oidc");
        using HttpResponseMessage back = await LogInAsync(server, provider);

        Assert.Equal(new Uri(known, "access/oidc/callback").AbsoluteUri, QueryHelpers.ParseQuery(start.Headers.Location!.Query)["redirect_uri"].ToString());
        Assert.All(start.Headers.GetValues("Set-Cookie"), cookie => Assert.Contains("; secure", cookie, StringComparison.OrdinalIgnoreCase));
        Assert.Contains(back.Headers.GetValues("Set-Cookie"), cookie =>
            cookie.StartsWith("federated-access=", StringComparison.Ordinal) && cookie.Contains("; secure", StringComparison.OrdinalIgnoreCase));
    }

    private static AccessOptions OptionsFor(IdentityProvider provider) =>
        new() { OpenIdConnect = new OpenIdConnectAccess { Authority = provider.Address, ClientId = "federated" } };

    /// <summary>From the link on the login page to the answer that carries the login's cookie.</summary>
    private static async Task<HttpResponseMessage> LogInAsync(GuardedServer server, IdentityProvider provider)
    {
        using HttpResponseMessage start = await server.SendAsync(HttpMethod.Get, "access/oidc?returnUrl=/jobs");
        Assert.Equal(HttpStatusCode.Redirect, start.StatusCode);
        Dictionary<string, StringValues> asked = QueryHelpers.ParseQuery(start.Headers.Location!.Query);
        Assert.Equal(new Uri(provider.Address, "authorize"), new Uri(start.Headers.Location.GetLeftPart(UriPartial.Path)));
        Assert.Equal("S256", asked["code_challenge_method"]);
        (provider.Nonce, provider.Challenge) = (asked["nonce"].ToString(), asked["code_challenge"].ToString());
        return await server.SendAsync(
            HttpMethod.Get, $"access/oidc/callback?code=the-code&state={Uri.EscapeDataString(asked["state"].ToString())}", headers: ("Cookie", CookiesOf(start)));
    }

    private static string CookiesOf(HttpResponseMessage response) =>
        string.Join("; ", response.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0]).Where(cookie => !cookie.EndsWith('=')));
}
