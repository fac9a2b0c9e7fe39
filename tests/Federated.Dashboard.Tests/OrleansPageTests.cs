using Federated.Dashboard.Tests.Scene;
using Federated.Server.Hosting;
using Federated.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Federated.Dashboard.Tests;

/// <summary>Orleans' own dashboard in a real browser.</summary>
public sealed class OrleansPageTests(BrowserFixture chromium)
{
    [Fact]
    public async Task Orleans_AsAnOperator_ShowsGrainsAndStaysOnTheMachine()
    {
        using TemporaryFolder folder = new();
        await using FederatedServer server = await DashboardScene.StartServerAsync(folder, SignedInPage.Access);
        await using WatchedPage page = await SignedInPage.OpenAsync(chromium.Browser, server, SignedInPage.OperatorToken);

        await Expect(page.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Orleans" })).ToHaveAttributeAsync("href", "/orleans/");
        await page.Page.GotoAsync("/orleans");

        await Expect(page.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/orleans/"));
        await Expect(page.Page.GetByText("Total Activations")).ToBeVisibleAsync();
        page.AssertClean();

        // A late answer to the overview draws whatever page has been opened since, also one whose own answer is not there yet and which then fails. So the menu is
        // walked by a page that never asks for the overview.
        await using WatchedPage walk = await SignedInPage.OpenAsync(chromium.Browser, server, SignedInPage.OperatorToken);
        await walk.Page.GotoAsync("/orleans/#/grains");
        foreach ((string name, string says) in new[]
        {
            ("Grains", "JobDirectoryGrain"), ("Grain Details", "Grain"), ("Silos", "Active"), ("Lifecycle", "Lifecycle"), ("Reminders", "Reminders"), ("Preferences", "Dark"),
        })
        {
            await walk.Page.Locator("#menu").GetByText(name, new LocatorGetByTextOptions { Exact = true }).ClickAsync();
            await Expect(walk.Page.Locator("#content")).ToContainTextAsync(says, new LocatorAssertionsToContainTextOptions { IgnoreCase = true });
        }

        walk.AssertClean();
    }

    [Fact]
    public async Task Orleans_AsAViewer_IsNeitherOfferedNorShown()
    {
        using TemporaryFolder folder = new();
        await using FederatedServer server = await DashboardScene.StartServerAsync(folder, SignedInPage.Access);
        await using WatchedPage page = await SignedInPage.OpenAsync(chromium.Browser, server, SignedInPage.ViewerToken);

        await Expect(page.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Orleans" })).ToHaveCountAsync(0);
        IResponse? answer = await page.Page.GotoAsync("/orleans/");

        Assert.Equal(403, answer!.Status);
    }
}
