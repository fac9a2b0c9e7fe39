using Federated.Server.Access;
using Federated.Server.Hosting;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Federated.Dashboard.Tests.Scene;

/// <summary>Pages of people who signed in with a token.</summary>
internal static class SignedInPage
{
    /// <summary>Signs an operator in.</summary>
    public const string OperatorToken = "operator-token-of-the-dashboard-tests";

    /// <summary>Signs a viewer in.</summary>
    public const string ViewerToken = "viewer-token-of-the-dashboard-tests-";

    /// <summary>What a server is started with that knows both.</summary>
    public static AccessOptions Access => new() { OperatorToken = OperatorToken, ViewerToken = ViewerToken };

    /// <summary>Opens the fleet with a token.</summary>
    public static async Task<WatchedPage> OpenAsync(IBrowser browser, FederatedServer server, string token)
    {
        WatchedPage page = await WatchedPage.OpenAsync(browser, server.ApiAddress);
        await page.Page.GotoAsync("/");
        await page.Page.GetByLabel("Access token").FillAsync(token);
        await page.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign in" }).ClickAsync();
        await Expect(page.Page.Locator("h1")).ToHaveTextAsync("Fleet");
        return page;
    }
}
