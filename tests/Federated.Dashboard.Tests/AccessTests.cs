using System.Net;
using Federated.Dashboard.Tests.Scene;
using Federated.Server.Hosting;
using Federated.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Federated.Dashboard.Tests;

/// <summary>The dashboard where access is demanded.</summary>
public sealed class AccessTests(BrowserFixture chromium)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dashboard_AccessDemanded_RolesAreEnforced()
    {
        using TemporaryFolder folder = new();
        await using FederatedServer server = await DashboardScene.StartServerAsync(folder, SignedInPage.Access);
        using HttpClient nobody = new(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = server.ApiAddress };
        Assert.Equal(HttpStatusCode.Redirect, (await nobody.GetAsync(new Uri("/", UriKind.Relative), Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await nobody.PostAsync(new Uri("/_blazor/negotiate?negotiateVersion=1", UriKind.Relative), null, Ct)).StatusCode);

        await using WatchedPage viewer = await SignedInPage.OpenAsync(chromium.Browser, server, SignedInPage.ViewerToken);
        await viewer.GoAsync("/new", "New job");
        await Expect(viewer.Page.Locator("main")).ToContainTextAsync("needs the role operator");
        await Expect(viewer.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Start the job" })).ToHaveCountAsync(0);
        await viewer.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign out" }).ClickAsync();
        await Expect(viewer.Page.GetByLabel("Access token")).ToBeVisibleAsync();

        await using WatchedPage @operator = await SignedInPage.OpenAsync(chromium.Browser, server, SignedInPage.OperatorToken);
        await @operator.GoAsync("/new", "New job");
        await Expect(@operator.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Start the job" })).ToHaveCountAsync(1);
        @operator.AssertClean();
    }
}
