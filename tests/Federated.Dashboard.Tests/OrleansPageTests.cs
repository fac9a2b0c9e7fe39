using Federated.Dashboard.Tests.Scene;
using Federated.Server.Access;
using Federated.Server.Hosting;
using Federated.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Federated.Dashboard.Tests;

/// <summary>Orleans' own dashboard in a real browser.</summary>
public sealed class OrleansPageTests(BrowserFixture chromium)
{
    private const string OperatorToken = "operator-token-of-the-dashboard-tests";
    private const string ViewerToken = "viewer-token-of-the-dashboard-tests-";

    [Fact]
    public async Task Orleans_AsAnOperator_ShowsGrainsAndStaysOnTheMachine()
    {
        using TemporaryFolder folder = new();
        await using FederatedServer server = await DashboardScene.StartServerAsync(folder, new AccessOptions { OperatorToken = OperatorToken, ViewerToken = ViewerToken });
        await using WatchedPage page = await SignInAsync(server, OperatorToken);

        await Expect(page.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Orleans" })).ToHaveAttributeAsync("href", "/orleans/");
        await page.Page.GotoAsync("/orleans");

        await Expect(page.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/orleans/"));
        await Expect(page.Page.GetByText("Total Activations")).ToBeVisibleAsync();
        foreach ((string name, string says) in new[]
        {
            ("Grains", "JobDirectoryGrain"), ("Grain Details", "Grain"), ("Silos", "Active"), ("Lifecycle", "Lifecycle"), ("Reminders", "Reminders"), ("Preferences", "Dark"),
        })
        {
            await page.Page.Locator("#menu").GetByText(name, new LocatorGetByTextOptions { Exact = true }).ClickAsync();
            await Expect(page.Page.Locator("#content")).ToContainTextAsync(says, new LocatorAssertionsToContainTextOptions { IgnoreCase = true });
        }

        page.AssertClean();
    }

    [Fact]
    public async Task Orleans_AsAViewer_IsNeitherOfferedNorShown()
    {
        using TemporaryFolder folder = new();
        await using FederatedServer server = await DashboardScene.StartServerAsync(folder, new AccessOptions { OperatorToken = OperatorToken, ViewerToken = ViewerToken });
        await using WatchedPage page = await SignInAsync(server, ViewerToken);

        await Expect(page.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Orleans" })).ToHaveCountAsync(0);
        IResponse? answer = await page.Page.GotoAsync("/orleans/");

        Assert.Equal(403, answer!.Status);
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
