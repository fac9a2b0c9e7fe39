using System.Net;

namespace Federated.EndToEnd.Tests.Access;

/// <summary>Orleans' own dashboard is for operators alone, under a content policy of its own.</summary>
public sealed class OrleansDashboardTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> Paths => ["orleans", "orleans/", "orleans/index.html", "orleans/index.min.js", "orleans/DashboardCounters", "orleans/GrainTypes", "orleans/Trace", "orleans/GrainState"];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Page_WithoutALoginOrAsAViewer_IsNotThere(string path)
    {
        await using GuardedServer server = await GuardedServer.StartAsync();

        using HttpResponseMessage nobody = await server.SendAsync(HttpMethod.Get, path);
        using HttpResponseMessage wrong = await server.SendAsync(HttpMethod.Get, path, "a-token-that-nobody-has-given-out");
        using HttpResponseMessage viewer = await server.SendAsync(HttpMethod.Get, path, GuardedServer.ViewerToken);

        Assert.Equal(HttpStatusCode.Redirect, nobody.StatusCode);
        Assert.StartsWith("/access/login?returnUrl=%2Forleans", nobody.Headers.Location!.PathAndQuery, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, viewer.StatusCode);
        Assert.Contains("\"code\":1201", await viewer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_AsAnOperator_IsThereUnderItsOwnPolicyAndShowsNoStates()
    {
        await using GuardedServer server = await GuardedServer.StartAsync();

        using HttpResponseMessage slashless = await server.SendAsync(HttpMethod.Get, "orleans", GuardedServer.OperatorToken);
        using HttpResponseMessage page = await server.SendAsync(HttpMethod.Get, "orleans/", GuardedServer.OperatorToken);
        using HttpResponseMessage counters = await server.SendAsync(HttpMethod.Get, "orleans/DashboardCounters", GuardedServer.OperatorToken);
        using HttpResponseMessage own = await server.SendAsync(HttpMethod.Get, "jobs", GuardedServer.OperatorToken);

        Assert.Equal("/orleans/", slashless.Headers.Location!.ToString());
        Assert.Contains("Orleans Dashboard", await page.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Contains("totalActiveHostCount", await counters.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        string policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("connect-src 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-inline", Assert.Single(own.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        foreach (string state in new[] { "orleans/GrainState?grainId=x&grainType=Federated.Server.Grains.JobGrain", "orleans/grainstate", "orleans/GrainState/" })
        {
            using HttpResponseMessage refused = await server.SendAsync(HttpMethod.Get, state, GuardedServer.OperatorToken);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }
    }
}
