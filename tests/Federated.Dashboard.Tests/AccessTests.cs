using System.Net;
using Federated.Dashboard.Tests.Scene;
using Federated.Server.Access;
using Federated.Server.Hosting;
using Federated.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Federated.Dashboard.Tests;

/// <summary>The dashboard where access is demanded.</summary>
public sealed class AccessTests(BrowserFixture chromium)
{
    private const string OperatorToken = "operator-token-of-the-dashboard-tests";
    private const string ViewerToken = "viewer-token-of-the-dashboard-tests-";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dashboard_AccessDemanded_RolesAreEnforced()
    {
        using TemporaryFolder folder = new();
        await using FederatedServer server = await DashboardScene.StartServerAsync(folder, new AccessOptions { OperatorToken = OperatorToken, ViewerToken = ViewerToken });
        using HttpClient nobody = new(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = server.ApiAddress };
        Assert.Equal(HttpStatusCode.Redirect, (await nobody.GetAsync(new Uri("/", UriKind.Relative), Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await nobody.PostAsync(new Uri("/_blazor/negotiate?negotiateVersion=1", UriKind.Relative), null, Ct)).StatusCode);

        await using WatchedPage viewer = await SignInAsync(server, ViewerToken);
        await viewer.GoAsync("/new", "New job");
        await Expect(viewer.Page.Locator("main")).ToContainTextAsync("needs the role operator");
        await Expect(viewer.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Start the job" })).ToHaveCountAsync(0);
        await viewer.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign out" }).ClickAsync();
        await Expect(viewer.Page.GetByLabel("Access token")).ToBeVisibleAsync();

        await using WatchedPage @operator = await SignInAsync(server, OperatorToken);
        await @operator.GoAsync("/new", "New job");
        await Expect(@operator.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Start the job" })).ToHaveCountAsync(1);
        @operator.AssertClean();
    }

    private async Task<WatchedPage> SignInAsync(FederatedServer server, string token)
    {
        WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, server.ApiAddress);
        await page.Page.GotoAsync("/");
        await page.Page.GetByLabel("Access token").FillAsync(token);
        await page.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign in" }).ClickAsync();
        await Expect(page.Page.Locator("h1")).ToHaveTextAsync("Fleet");
        return page;
    }
}
