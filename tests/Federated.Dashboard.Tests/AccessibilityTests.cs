using Federated.Dashboard.Tests.Scene;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Access;
using Federated.Server.Api;
using Federated.Server.Hosting;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;
using Grpc.Net.Client;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Federated.Dashboard.Tests;

/// <summary>What the pages tell those who hear them, and those whose browser runs no scripts.</summary>
public sealed class AccessibilityTests(BrowserFixture chromium) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private FederatedServer? _server;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => _server = await DashboardScene.StartServerAsync(_folder, new AccessOptions());

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task NewJob_OneOfTwoWrongFieldsMended_KeepsTheProblemOfTheOther()
    {
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, _server!.ApiAddress);
        await FillAsync(page);
        await Field(page, "rounds").FillAsync("0");
        await Field(page, "cohort.goal").FillAsync("0");
        await CheckAsync(page);
        await Expect(page.Page.Locator("#refused")).ToContainTextAsync("2 settings are wrong.");

        await Field(page, "rounds").FillAsync("7");

        await Expect(page.Page.Locator("#refused")).ToContainTextAsync("One setting is wrong.");
        await Expect(page.Page.Locator(".field .problem")).ToHaveCountAsync(1);
        await Expect(page.Page.Locator("#field-cohort-goal-problem")).ToContainTextAsync("cohort.goal");

        await Field(page, "cohort.goal").FillAsync("3");
        await Expect(page.Page.Locator("#refused")).ToHaveCountAsync(0);
        page.AssertClean();
    }

    [Fact]
    public async Task NewJob_WrongFields_AreDescribedByTheirProblemsUnderOneAlert()
    {
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, _server!.ApiAddress);
        await FillAsync(page);
        await page.Page.Locator("summary").GetByText("Aggregation", new LocatorGetByTextOptions { Exact = true }).ClickAsync();
        await page.Page.Locator("summary").GetByText("Lora").Last.ClickAsync();
        await page.Page.GetByLabel("Use lora").Last.CheckAsync();
        await Field(page, "aggregation.lora.rule").SelectOptionAsync("ffa");
        await Field(page, "aggregation.lora.averagingBias").SelectOptionAsync("true");
        await Field(page, "rounds").FillAsync("0");

        await CheckAsync(page);

        await Expect(page.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(1);
        foreach (string path in new[] { "rounds", "aggregation.lora.averagingBias" })
        {
            await Expect(Field(page, path)).ToHaveAttributeAsync("aria-invalid", "true");
            await Expect(Field(page, path)).ToHaveAccessibleDescriptionAsync(new System.Text.RegularExpressions.Regex($"^{path}: .* is not allowed; allowed is "));
        }

        await Expect(Field(page, "name")).ToHaveAttributeAsync("aria-required", "true");
        await Expect(Field(page, "seed")).Not.ToHaveAttributeAsync("aria-required", "true");
        page.AssertClean();
    }

    [Fact]
    public async Task DevicePage_DeviceGaveUp_ErrorsHaveHeaderCells()
    {
        using ServerApiClient api = new(_server!.ApiAddress);
        _ = await api.SubmitJobAsync(
            """
            {
              "name": "once", "population": "few", "rounds": 1, "model": { "builder": "vector", "parameters": 8 },
              "cohort": { "goal": 1, "overSelection": 2.0, "minimumPool": 2 }
            }
            """,
            Ct);
        using GrpcChannel channel = GrpcChannel.ForAddress(_server.GrpcAddress);
        StubDevice clumsy = new("clumsy-device", "few", channel);
        StubDevice steady = new("steady-device", "few", channel);
        PlanDocument[] plans = await Task.WhenAll(clumsy.CheckInAsync(), steady.CheckInAsync());
        await clumsy.AbortAsync(plans[0], AbortReason.TrainingFailed);
        _ = await steady.SubmitAsync(plans[1]);
        _ = await Eventually.GetAsync("the device has an error", async () => (await api.DeviceAsync(clumsy.Id, Ct)).Record is { Errors.Count: > 0 } record ? record : null);
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, _server.ApiAddress);

        await page.GoAsync($"/devices/{clumsy.Id}", clumsy.Id);

        await Expect(page.Page.Locator("section[aria-labelledby=errors] thead th[scope=col]")).ToHaveTextAsync(["When", "Round", "What happened"]);
        page.AssertClean();
    }

    [Fact]
    public async Task AnyPage_WithoutScripts_LinksToFiguresThatNeedNone()
    {
        await using IBrowserContext context = await chromium.Browser.NewContextAsync(new BrowserNewContextOptions { JavaScriptEnabled = false, BaseURL = _server!.ApiAddress.ToString() });
        IPage page = await context.NewPageAsync();
        _ = await page.GotoAsync("/");

        string? link = await page.Locator(".notice a").GetAttributeAsync("href");

        IAPIResponse answer = await context.APIRequest.GetAsync(link!);
        Assert.Equal(200, answer.Status);
        Assert.StartsWith("application/json", answer.Headers["content-type"], StringComparison.Ordinal);
        await Expect(page.Locator("#components-reconnect-modal")).ToHaveAttributeAsync("aria-label", "Connection to the server");
    }

    private static async Task FillAsync(WatchedPage page)
    {
        await page.GoAsync("/new", "New job");
        await Field(page, "name").FillAsync("by-form");
        await Field(page, "population").FillAsync("nobody");
        await Field(page, "model.builder").SelectOptionAsync("vector");
        await Field(page, "model.parameters").FillAsync("8");
        await Field(page, "cohort.goal").FillAsync("3");
    }

    private static Task CheckAsync(WatchedPage page) =>
        page.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Check", Exact = true }).ClickAsync();

    private static ILocator Field(WatchedPage page, string path) => page.Page.Locator($"#field-{path.Replace('.', '-')}");
}
